"""A lively party notices faults in sockets and streams, of the server and of the client.

Each is put in and a party must come to no end that is right, within a few seeds. What a socket
does at one moment only is not found by writing at random: ``integration/test_socket`` and
``unit/client/link/test_connections`` hold each of those moments still.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_sync.client.net.websocket import WebSocket
from tests import processes as p

from . import sabotaged_servers as servers
from .lively import hold_lively_party
from .serving import PutIn

SEEDS = range(1, 13)
"""The first that notices ends it; what one of them meets is for threads and the machine to say."""
WITHIN = 8.0
"""Seconds that a party with a fault is waited for."""

pytestmark = [pytest.mark.sqlite, pytest.mark.slow, pytest.mark.timeout(300)]


def assert_noticed(put_in: PutIn | None, folder: Path) -> None:
    """A party must fail, and say that a store does not hold the truth, or holds too much."""
    others = []
    for seed in SEEDS:
        p.empty_database()
        processes = p.Processes()
        place = folder / str(seed)
        place.mkdir()
        try:
            hold_lively_party(seed, processes, place, put_in=put_in, within=WITHIN)
        except AssertionError as error:
            if str(error)[:2] in ("G6", "G7"):
                return
            others.append(f"{seed}: {error}"[:300])
        finally:
            processes.end()
    raise AssertionError(f"none of {SEEDS} noticed; of other things {others}")


@pytest.mark.parametrize(
    "put_in",
    [
        servers.hub_skips_a_delivery,
        pytest.param(servers.access_that_ends_is_not_told, marks=pytest.mark.soak),
        pytest.param(servers.cursor_goes_before_what_it_stands_for, marks=pytest.mark.soak),
    ],
    ids=lambda put_in: put_in.__name__,
)
def test_a_fault_of_the_server_is_noticed(
    put_in: PutIn, transactional_db: None, tmp_path: Path
) -> None:
    assert_noticed(put_in, tmp_path)


# The client


def one_frame_in_four_is_not_heard(patch: pytest.MonkeyPatch) -> None:
    arrived: Any = WebSocket._put
    count = 0

    def some(self: Any, frame: Any) -> None:
        nonlocal count
        count += 1
        if frame.get("type") != "changes" or count % 4:
            arrived(self, frame)

    patch.setattr(WebSocket, "_put", some)


@pytest.mark.soak
def test_a_fault_of_the_client_is_noticed(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_frame_in_four_is_not_heard(monkeypatch)
    assert_noticed(None, tmp_path)
