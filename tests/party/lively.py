"""Lively parties: what happens there, and one from an empty database to its end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from django.db import DatabaseError
from rest_framework.authtoken.models import Token

from django_sync import errors
from django_sync.client import TokenAuth
from tests import processes as p
from tests.integration.conftest import make_people

from . import acts
from .boards import BoardsHost
from .crowd import PATIENCE, Crowd
from .party import Act, Party
from .serving import SETTINGS, House, PutIn, statuses

WAYS = {
    "ada": "websocket",
    "grace": "sse",
    "alan": "long-poll",
    "ada at home": "poll",
    "grace at home": "websocket",
}
"""Who comes by which way; two come twice."""


def lively(act: Act) -> Act:
    """The act, where others write at the same time: what it meant may be gone, or locked."""

    def done(party: Party) -> None:
        try:
            act(party)
        except (DatabaseError, errors.NotFound) as error:
            party.note(f"  {type(error).__name__}: {error}")

    done.__name__ = getattr(act, "__name__", str(act))
    return done


def somebody_is_waited_for(party: Party) -> None:
    """Until what they wrote is sent; not for long, since their network may be of no use."""
    guest = party.anyone
    with contextlib.suppress(AssertionError):
        party.until(lambda: not guest.client.outbox, 0.1)  # type: ignore[attr-defined]  # a guest here has a client


def guest_syncs_by_hand(party: Party) -> None:
    """A call of the program's own, which takes the store from whatever feeds it."""
    guest = party.anyone
    try:
        guest.client.sync()
    except errors.SyncError as error:
        party.note(f"  {guest.name}: {type(error).__name__}")


CALM: Mapping[Act, float] = {
    lively(act): weight
    for act, weight in {
        acts.guest_creates: 9,
        acts.guest_edits: 12,
        acts.guest_edits_others: 3,
        acts.guest_moves: 3,
        acts.guest_deletes: 3,
        acts.guest_errs: 1,
        acts.guest_settles: 5,
        **acts.PROGRAMS,
        somebody_is_waited_for: 12,
    }.items()
}
STORMY: Mapping[Act, float] = {
    **CALM,
    **{
        lively(act): weight
        for act, weight in {
            guest_syncs_by_hand: 3,
            acts.guest_restarts: 2,
            acts.network_is_late: 2,
            acts.house_forgets_sets: 0.7,
            acts.house_prunes: 0.7,
            acts.house_diverges: 0.4,
        }.items()
    },
}


def restarts(house: House) -> Act:
    def house_restarts(party: Party) -> None:
        house.restarts(party.random)

    return house_restarts


def hold_lively_party(
    seed: int,
    processes: p.Processes,
    folder: Path,
    *,
    put_in: PutIn | None = None,
    steps: int = 60,
    within: float = PATIENCE,
    ways: Mapping[str, str] = WAYS,
    kind: type[Crowd] = Crowd,
    stormy: Mapping[Act, float] = STORMY,
    **more: Any,
) -> list[str]:
    """A storm, in which the server is restarted, then calm weather; all converge after each.

    ``more`` is for another ``kind`` of crowd.
    """
    log = folder / f"{seed}.log"
    settings = {**SETTINGS, "PAGE_SIZE": 3 + seed % 9, "BATCH_SIZE": 2 + seed % 4}
    house = House(processes, settings, str(log), put_in)
    people = make_people()
    users = {name: getattr(people, name.partition(" ")[0]) for name in ways}
    tokens = {user: Token.objects.create(user=user).key for user in set(users.values())}
    with crowd(
        kind,
        BoardsHost({name: user.pk for name, user in users.items()}),
        {name: TokenAuth(tokens[user]) for name, user in users.items()},
        seed=seed,
        folder=folder,
        url=house.url,
        ways=ways,
        ended=statuses,
        **more,
    ) as party:
        try:
            party.run({**stormy, restarts(house): 1.5}, steps)
            party.converge(within)
            party.sit_down()
            party.run(CALM, range(steps, steps + steps // 2))
            party.converge(within)
        except Exception as error:
            error.add_note("\n".join(party.history))
            error.add_note(log.read_text() if log.exists() else "nothing was logged")
            raise
        finally:
            house.process.kill()
    return party.history


@contextlib.contextmanager
def crowd(kind: type[Crowd], *args: Any, **options: Any) -> Iterator[Crowd]:
    """Guests who have arrived, and leave in the end."""
    with httpx2.HTTPTransport() as transport:
        party = kind(*args, transport=transport, **options)
        party.arrive()
        try:
            yield party
        finally:
            party.leave()


Hold = Callable[..., list[str]]
