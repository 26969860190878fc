"""Holding a party from an empty database to its end, and what is told when it fails."""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from django_sync.client import TokenAuth
from django_sync.feed import sequencer
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
from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.integration.conftest import make_people

from .acts import decision
from .boards import BoardsHost
from .party import Act, Party

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
    sequencer.sequence()


def seeded_ids(seed: int) -> Callable[[], uuid.UUID]:
    """Ids in an order of their own, and in the same one for the same seed."""
    drawn = random.Random(f"{seed}/ids")
    return lambda: uuid.UUID(int=drawn.getrandbits(128), version=4)


def hold_party(
    seed: int, steps: Iterable[int], acts: Mapping[Act, float], folder: Path, transport: Any
) -> list[str]:
    """One party from an empty database to the end; its history."""
    people = make_people()
    users = {name: getattr(people, name) for name in ("ada", "grace", "alan")}
    party = Party(
        BoardsHost({name: user.pk for name, user in users.items()}),
        {name: TokenAuth(Token.objects.create(user=user).key) for name, user in users.items()},
        seed=seed,
        folder=folder,
        transport=transport,
    )
    for guest in party.guests.values():
        guest.decide = partial(decision, party, guest, undecided=3)
    try:
        party.run(acts, steps)
        party.converge()
    except Exception as error:
        error.add_note("\n".join(party.history))
        raise
    finally:
        for guest in party.guests.values():
            guest.client.close()
    return party.history


def told_steps(text: str) -> list[int]:
    """How many steps, or which: ``80``; ``3,17,42``; ``3,`` for one alone."""
    if "," not in text:
        return list(range(int(text)))
    return [int(number) for number in text.split(",") if number]


STEPS = told_steps(os.environ.get("PARTY_STEPS", "80"))
SHRINK = float(os.environ.get("PARTY_SHRINK", "60"))
"""Seconds in which a shorter party that fails is looked for; well within a test's time-out."""

Hold = Callable[[int, Sequence[int]], None]


def fewest(
    fails: Callable[[list[int]], bool], steps: Sequence[int], goes_on: Callable[[], bool]
) -> list[int]:
    """Leave out ever smaller runs of steps, as long as it ``fails`` and time ``goes_on``."""
    kept = list(steps)
    size = len(kept) // 2
    while size:
        at = 0
        while at < len(kept):
            if not goes_on():
                return kept
            fewer = kept[:at] + kept[at + size :]
            if fails(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return kept


def hold_and_tell(hold: Hold, seed: int, steps: Sequence[int]) -> None:
    """Hold a party; where it fails, raise the same failure of the shortest that is found.

    The last line says how to hold that one again; its history stands before it.
    """
    try:
        hold(seed, steps)
    except Exception as error:  # noqa: BLE001 - it is raised again, or one like it
        first = last = error

        def fails(fewer: list[int]) -> bool:
            nonlocal last
            try:
                hold(seed, fewer)
            except Exception as found:  # noqa: BLE001 - whatever it was, it is what is looked for
                if type(found) is type(first) and str(found)[:3] == str(first)[:3]:
                    last = found
                    return True
            return False

        end = time.monotonic() + SHRINK
        left = fewest(fails, steps, lambda: time.monotonic() < end)
        listed = ",".join(map(str, left)) + ("," if len(left) < 2 else "")
        last.add_note(f"Again: PARTY_SEED={seed} PARTY_STEPS={listed} pytest {HERE}")
        raise last from None


HERE = "tests/party/test_party.py"
