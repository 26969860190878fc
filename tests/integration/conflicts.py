"""Two clients offline on one card, as data: what each policy makes of each kind of conflict.

``test_conflict_table`` plays each cell with real clients, and ``docs/evidence/conflicts.md`` is
made of the same rows. What is expected is written here by hand; nothing is worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Values = Json | None
"""What of a card differs from what it was; ``None`` where there is none."""

POLICIES: Mapping[str, str] = {
    "manual": "`Manual()`",
    "server": "`ServerWins()`",
    "client": "`ClientWins()`",
    "first": "`LastWrite()`, Ada wrote first",
    "last": "`LastWrite()`, Ada wrote last",
}
EVERY = tuple(POLICIES)

LEAVES = "leaves it open"
SERVER = "`keep_server()`"
CLIENT = "`keep_client()`"
MERGE = "`merge({…})`"
CHOICES = (LEAVES, SERVER, CLIENT, MERGE)
MERGED: Json = {"title": "Check pumps 7 and 9"}
"""What Ada's user merges with."""

BEFORE: Json = {"title": "Check pump", "body": "Weekly.", "board": "Launch", "labels": ["urgent"]}
"""The card that both know; the other fields of a card play no part."""
BARE: Json = {"body": "", "labels": []}
"""What a card has of the fields that nobody gave."""
G: Json = {"title": "Check pump 7"}
A: Json = {"title": "Check pump 9"}


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one conflict under these policies.

    ``answer`` is the status of Ada's mutation, ``choice`` what her user does where it is a
    conflict. ``card`` is the card in the end, on the server, with Grace, and beneath what Ada still
    wants; ``ada`` what Ada sees. ``by`` is who decided as the ``Decision`` has it (``""``: nobody
    yet), ``None`` where there is no ``Decision``; ``kept`` whose value stands by a resolver.
    """

    policies: tuple[str, ...]
    answer: str
    choice: str | None
    card: Values
    ada: Values
    by: str | None
    kept: str | None = None


def settled(card: Values, *policies: str, kept: str) -> Row:
    """The server settles it, and nobody is asked."""
    return Row(policies, "merged", None, card, card, "resolver", kept)


def quiet(card: Values, answer: str) -> tuple[Row, ...]:
    """There is nothing to settle."""
    return (Row(EVERY, answer, None, card, card, None),)


def asked(
    *policies: str, left: tuple[Values, Values], server: Values, client: Values, merge: Values
) -> Iterator[Row]:
    """Ada's user is asked: the card as she leaves it and as she sees it, and her three choices.

    The server hears of a choice by the mutation that it makes: there is none of ``keep_server()``.
    """
    yield Row(policies, "conflict", LEAVES, *left, "")
    yield Row(policies, "conflict", SERVER, server, server, "")
    yield Row(policies, "conflict", CLIENT, client, client, "client")
    yield Row(policies, "conflict", MERGE, merge, merge, "client")


Act = tuple[str, Json]
"""An operation, and its fields."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What both did while offline. Grace comes online first, then Ada.

    ``word`` is the protocol's for the conflict and ``fields`` what clashes in it. ``sides`` is what
    the ``Decision`` keeps of each field, the server's value and the client's; ``*`` is the card.
    """

    name: str
    told: str
    grace: Act
    ada: Act
    rows: tuple[Row, ...]
    word: str | None = None
    fields: tuple[str, ...] = ()
    sides: Mapping[str, tuple[Any, Any]] | None = None
    forgotten: bool = False
    """Whether the server has forgotten what was done to the card, when Ada comes."""

    @property
    def before(self) -> Values:
        return None if self.grace[0] == "create" else BEFORE


HUMS: Json = {"body": "It hums."}
MOVED: Json = {**A, "board": "Repair", "labels": []}
CARD = ("board", "title", "body", "column", "position", "votes", "due", "checklist", "labels")
TITLES = {"title": (G["title"], A["title"])}

KINDS = (
    Kind(
        "Different fields",
        "Grace changes the title, Ada the body. There is no conflict: both stand.",
        ("update", G),
        ("update", HUMS),
        quiet(G | HUMS, "merged"),
    ),
    Kind(
        "The same value",
        "Both give the card the same title. There is no conflict.",
        ("update", G),
        ("update", G),
        quiet(G, "applied"),
    ),
    Kind(
        "Both change one field",
        "Grace makes the title “Check pump 7”, Ada “Check pump 9”.",
        ("update", G),
        ("update", A),
        (
            *asked("manual", left=(G, A), server=G, client=A, merge=MERGED),
            settled(G, "server", "first", kept="server"),
            settled(A, "client", "last", kept="client"),
        ),
        "update_update",
        ("title",),
        TITLES,
    ),
    Kind(
        "Both change one field, and Ada another as well",
        "Grace makes the title “Check pump 7”; Ada makes it “Check pump 9”, and in the same "
        "mutation the body “It hums.” What is open is open as a whole; what a policy settles is "
        "settled field by field. `keep_server()` gives up the whole mutation, the body too.",
        ("update", G),
        ("update", A | HUMS),
        (
            *asked("manual", left=(G, A | HUMS), server=G, client=A | HUMS, merge=MERGED | HUMS),
            settled(G | HUMS, "server", "first", kept="server"),
            settled(A | HUMS, "client", "last", kept="client"),
        ),
        "update_update",
        ("title",),
        TITLES,
    ),
    Kind(
        "Grace deletes, Ada changes a field",
        "Grace deletes the card, Ada makes its title “Check pump 9”. A policy that prefers Ada's "
        "change cannot bring the card back of a title alone, so her user is asked. Her client "
        "can: it knows the rest.",
        ("delete", {}),
        ("update", A),
        (
            *asked("manual", "client", "last", left=(None, A), server=None, client=A, merge=MERGED),
            settled(None, "server", "first", kept="server"),
        ),
        "update_delete",
        ("title",),
        {"*": (None, A)},
    ),
    Kind(
        "Grace deletes, Ada changes all that a new card needs",
        "Grace deletes the card; Ada makes its title “Check pump 9”, moves it to the board Repair "
        "and takes its labels off. Title and board are all that a new card needs, so a policy can "
        "bring it back; but the body, which Ada did not change and so did not send, is gone.",
        ("delete", {}),
        ("update", MOVED),
        (
            *asked("manual", left=(None, MOVED), server=None, client=MOVED, merge=MOVED | MERGED),
            settled(None, "server", "first", kept="server"),
            settled(MOVED | BARE, "client", "last", kept="client"),
        ),
        "update_delete",
        ("title", "board", "labels"),
        {"*": (None, MOVED)},
    ),
    Kind(
        "Grace changes a field, Ada deletes",
        "Grace makes the title “Check pump 7”, Ada deletes the card.",
        ("update", G),
        ("delete", {}),
        (
            *asked("manual", left=(G, None), server=G, client=None, merge=MERGED),
            settled(G, "server", "first", kept="server"),
            settled(None, "client", "last", kept="client"),
        ),
        "delete_update",
        ("title",),
        {"*": (G, None)},
    ),
    Kind(
        "Both delete",
        "There is no conflict.",
        ("delete", {}),
        ("delete", {}),
        quiet(None, "applied"),
    ),
    Kind(
        "Both create under one id",
        "Grace creates “Check pump 7” and Ada “Check pump 9” on the same board, under the same id, "
        "as where ids are made of a barcode. No policy is asked.",
        ("create", G | {"board": "Launch"}),
        ("create", A | {"board": "Launch"}),
        (
            *asked(
                *EVERY,
                left=(G | BARE, A),
                server=G | BARE,
                client=A | BARE,
                merge=MERGED | BARE,
            ),
        ),
        "create_create",
        ("title",),
        TITLES,
    ),
    Kind(
        "Both create the same under one id",
        "There is no conflict.",
        ("create", G | {"board": "Launch"}),
        ("create", G | {"board": "Launch"}),
        quiet(G | BARE, "applied"),
    ),
    Kind(
        "Both change one field, and the server has forgotten when",
        "Grace makes the title “Check pump 7”, Ada “Check pump 9”. By the time Ada is online the "
        "server's log is pruned, so what happened since her last pull, and when, is not known.",
        ("update", G),
        ("update", A),
        (
            *asked("manual", "first", "last", left=(G, A), server=G, client=A, merge=MERGED),
            settled(G, "server", kept="server"),
            settled(A, "client", kept="client"),
        ),
        "unknown_base",
        ("title",),
        TITLES,
        forgotten=True,
    ),
    Kind(
        "Different fields, and the server has forgotten",
        "Grace changes the title, Ada the body, and the log is pruned before Ada is online. Her "
        "client tells what the body was, and so it is still: there is no conflict.",
        ("update", G),
        ("update", HUMS),
        quiet(G | HUMS, "merged"),
        forgotten=True,
    ),
    Kind(
        "Grace changes a field, Ada deletes, and the server has forgotten when",
        "Grace makes the title “Check pump 7”, Ada deletes the card, and the log is pruned before "
        "Ada is online.",
        ("update", G),
        ("delete", {}),
        (
            *asked("manual", "first", "last", left=(G, None), server=G, client=None, merge=MERGED),
            settled(G, "server", kept="server"),
            settled(None, "client", kept="client"),
        ),
        "unknown_base",
        (*CARD, "created_at"),
        {"*": (G, None)},
        forgotten=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Both change the title under ``LastWrite()``, and Ada's clock is wrong by some hours."""

    hours: int
    told: str
    wrote_last: bool
    card: Json


CLOCKS = (
    Clock(0, "right", False, G),
    Clock(0, "right", True, A),
    Clock(1, "an hour ahead", False, A),
    Clock(1, "an hour ahead", True, A),
    Clock(-1, "an hour behind", False, G),
    Clock(-1, "an hour behind", True, G),
)
