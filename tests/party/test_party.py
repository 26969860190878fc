"""G6: three clients, other programs, a bad network and a restless house all converge.

    PARTY_SEED=7 pytest tests/party          one party again
    PARTY_SEEDS=1000 pytest tests/party -m soak
    PARTY_STEPS=200                          longer ones
    PARTY_STEPS=3,17,42                      these steps alone
    PARTY_SHRINK=1                           look for the fewest steps that still fail

A party that fails tells its seed and its history.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.contrib.auth.models import User
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from rest_framework.authtoken.models import Token

from django_sync import feed, ids
from django_sync.client import TokenAuth
from django_sync.models import (
    Change,
    Client,
    Decision,
    Feed,
    Generation,
    MutationResult,
    Outbox,
    ScopeSet,
    Tombstone,
)
from django_sync.testing.party import Party
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.integration.conftest import make_people

from .acts import ACTS, decision
from .boards import BoardsHost

_TOLD = os.environ.get("PARTY_STEPS", "80")
STEPS = list(map(int, _TOLD.split(","))) if "," in _TOLD else list(range(int(_TOLD)))


TABLES: list[Any] = [
    Comment,
    Card.labels.through,
    Card,
    Label,
    Membership,
    Board,
    Decision,
    MutationResult,
    Client,
    Token,
    User,
    Outbox,
    Change,
    Tombstone,
    ScopeSet,
    Generation,
    Feed,
]


def sweep() -> None:
    """Empty the tables that a party fills; a flush of all would take longer than the party."""
    for table in TABLES:
        table._base_manager.all()._raw_delete("default")
    feed.sequence()


@pytest.fixture
def inner(transactional_db: None) -> Iterator[httpx2.BaseTransport]:
    """The application in this process, with real commits on one connection."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield httpx2.WSGITransport(app=get_wsgi_application())
    for signal in ends:
        signal.connect(close_old_connections)


def seeded_ids(seed: int) -> Callable[[], uuid.UUID]:
    """Ids in an order of their own, and in the same one for the same seed."""
    drawn = random.Random(f"{seed}/ids")
    return lambda: uuid.UUID(int=drawn.getrandbits(128), version=4)


def hold_party(seed: int, steps: Iterable[int], folder: Path, inner: Any) -> list[str]:
    """One party from an empty database to the end; its history."""
    people = make_people()
    users = {name: getattr(people, name) for name in ("ada", "grace", "alan")}
    party = Party(
        BoardsHost({name: user.pk for name, user in users.items()}),
        {name: TokenAuth(Token.objects.create(user=user).key) for name, user in users.items()},
        seed=seed,
        folder=folder,
        inner=inner,
    )
    for guest in party.guests.values():
        guest.decide = partial(decision, party, guest, undecided=3)
    try:
        party.run(ACTS, steps)
        party.converge()
    except Exception as error:
        error.add_note("\n".join([f"PARTY_SEED={seed}", *party.history]))
        raise
    finally:
        for guest in party.guests.values():
            guest.client.close()
    return party.history


def fewest(failing: Any, steps: list[int]) -> list[int]:
    """Leave out ever smaller runs of steps, as long as the party still fails without them."""
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            if failing(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


@pytest.fixture
def hold(tmp_path: Path, inner: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hold one party after the other, each from an empty database on."""
    count = itertools.count()

    def hold(seed: int, steps: Iterable[int]) -> None:
        settings.DJANGO_SYNC = {"PAGE_SIZE": 3 + seed % 9, "BATCH_SIZE": 2 + seed % 4}
        number = next(count)
        if number:
            sweep()
        monkeypatch.setattr(ids, "uuid7", seeded_ids(seed))
        folder = tmp_path / str(number)
        folder.mkdir()
        hold_party(seed, steps, folder, inner)
        shutil.rmtree(folder)

    return hold


def groups(count: int) -> list[range]:
    """The seeds, a few to a test: emptying the whole database takes as long as a party."""
    told = os.environ.get("PARTY_SEED")
    if told:
        return [range(int(told), int(told) + 1)]
    return [range(n, min(n + 5, count + 1)) for n in range(1, count + 1, 5)]


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(seeds, id=str(seeds), marks=[pytest.mark.slow] if later else [])
        for later, seeds in enumerate(groups(25))
    ],
)
def test_g6_all_replicas_converge(seeds: range, hold: Any) -> None:
    hold_all(seeds, hold)


@pytest.mark.soak
@pytest.mark.skipif("PARTY_SEEDS" not in os.environ, reason="PARTY_SEEDS says how many")
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seeds", groups(int(os.environ.get("PARTY_SEEDS", "0"))), ids=str)
def test_g6_all_replicas_converge_for_long(seeds: range, hold: Any) -> None:
    hold_all(seeds, hold)


def hold_all(seeds: range, hold: Any) -> None:
    for seed in seeds:
        try:
            hold(seed, STEPS)
        except Exception as error:
            if os.environ.get("PARTY_SHRINK"):
                shrink(seed, hold, error)
            raise


def shrink(seed: int, hold: Any, error: Exception) -> None:
    """Raise the same failure of the shortest party that is found."""
    last = error

    def failing(steps: list[int]) -> bool:
        nonlocal last
        try:
            hold(seed, steps)
        except Exception as found:  # noqa: BLE001 - whatever it was, it is what is looked for
            if str(found)[:3] == str(error)[:3] and type(found) is type(error):
                last = found
                return True
        return False

    steps = fewest(failing, STEPS)
    last.add_note(f"steps: {steps}")
    raise last
