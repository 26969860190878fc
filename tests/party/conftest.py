"""The server of a party, in this process, and parties one after the other."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from django_sync import ids
from django_sync.testing.party import Act

from .acts import ACTS
from .holding import hold_party, seeded_ids, sweep


@pytest.fixture
def inner(transactional_db: None) -> Iterator[httpx2.BaseTransport]:
    """The application in this process, with real commits on one connection."""
    ends = (signals.request_started, signals.request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield httpx2.WSGITransport(app=get_wsgi_application())
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def hold(tmp_path: Path, inner: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
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
        hold_party(seed, steps, acts, folder, inner)
        shutil.rmtree(folder)

    return hold
