"""The server of a party, in this process, and parties one after the other."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from django_sync.protocol import ids
from tests.integration import conftest as integration
from tests.integration.conftest import in_process

from .acts import ACTS
from .holding import hold_party, seeded_ids, sweep
from .party import Act

transactional_db, processes = integration.transactional_db, integration.processes


@pytest.fixture
def transport(transactional_db: None) -> Iterator[httpx2.BaseTransport]:
    """The application in this process, with real commits on one connection."""
    with in_process() as transport:
        yield transport


@pytest.fixture
def hold(tmp_path: Path, transport: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hold one party after the other, each from an empty database on."""
    count = itertools.count()

    def hold(seed: int, steps: Iterable[int], acts: Mapping[Act, float] = ACTS) -> None:
        settings.DJANGO_SYNC = {"PAGE_SIZE": 3 + seed % 9, "BATCH_SIZE": 2 + seed % 4}
        number = next(count)
        if number:
            sweep()
        monkeypatch.setattr(ids, "uuid7", seeded_ids(seed))
        folder = tmp_path / str(number)
        folder.mkdir()
        hold_party(seed, steps, acts, folder, transport)
        shutil.rmtree(folder)

    return hold
