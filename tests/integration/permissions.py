"""The permission matrix of the example project as data: who may do what to which object.

``test_permissions`` asks each cell by each path that there is for it, and
``docs/evidence/permissions.md`` is made of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

WHO: Mapping[str, str] = {
    "owner": "owns the board",
    "editor": "has a membership as editor",
    "viewer": "has a membership as viewer",
    "stranger": "is signed in, once was an editor, and is no member now",
    "staff": "`is_staff`, no member",
    "superuser": "`is_superuser`, no member",
    "deactivated": "an editor whose account is not `is_active`",
    "anonymous": "sends no credentials",
}

YES = "yes"
SHOWN = "shown"
HIDDEN = "hidden"
NO_ONE = (401, "not_authenticated")
FORBIDDEN = (403, "permission_denied")
MISMATCH = (403, "client_mismatch")
NOT_FOUND = (404, "not_found")
INVALID = (422, "validation_failed")
Answer = str | tuple[int, str]
"""It is done, it is in the list or is not, or it is refused with a status and a code."""

REST, MUTATION, PULL, LIVE = "REST", "mutation", "pull", "live pull"
LISTS, READS, WRITES = (REST, PULL, LIVE), (REST,), (REST, MUTATION)


@dataclass(frozen=True, slots=True)
class Row:
    """One operation on one object, and the answer that each user gets by each of the paths."""

    collection: str
    operation: str
    object: str
    paths: tuple[str, ...]
    answers: Mapping[str, Answer]


def row(
    collection: str,
    operation: str,
    what: str,
    paths: tuple[str, ...],
    owner: Answer,
    editor: Answer,
    viewer: Answer,
    others: Answer,
) -> Row:
    """A row; neither staff nor superuser opens anything, and nobody is told nothing."""
    listed = (owner, editor, viewer, others, others, others, NO_ONE, NO_ONE)
    return Row(collection, operation, what, paths, dict(zip(WHO, listed, strict=True)))


def same(collection: str, operation: str, what: str, paths: tuple[str, ...], told: Answer) -> Row:
    """A row in which everyone who is signed in gets the same answer."""
    return row(collection, operation, what, paths, told, told, told, told)


ON_IT = {"boards": "the board", "labels": "one of the board", "cards": "one of the board"}
ON_IT |= {"comments": "their own, of the board"}
OTHERS = "somebody else's, of the board"
ELSEWHERE, NEVER = "one of a hidden board", "one that never was"
HOMES = {"labels": "the board", "cards": "the board", "comments": "a card of the board"}
TARGETS = (
    "another board",
    "a board that they only view",
    "a hidden board",
    "a board that never was",
)
COLLECTIONS = ("boards", "labels", "cards", "comments")
SESSIONS = "sessions"
"""No collection, but under the same root; whose they are decides, and no board."""
OWN, ANOTHERS = "their own", "somebody else's"


def reading(name: str) -> Iterator[Row]:
    kinds = [ON_IT[name], OTHERS] if name == "comments" else [ON_IT[name]]
    for kind in kinds:
        yield row(name, "list", kind, LISTS, SHOWN, SHOWN, SHOWN, HIDDEN)
    yield same(name, "list", ELSEWHERE, LISTS, HIDDEN)
    for operation in ("read", "history"):
        for kind in kinds:
            yield row(name, operation, kind, READS, YES, YES, YES, NOT_FOUND)
        yield same(name, operation, ELSEWHERE, READS, NOT_FOUND)
        yield same(name, operation, NEVER, READS, NOT_FOUND)


def creating(name: str) -> Iterator[Row]:
    if name == "boards":
        yield same(name, "create", "a new one", WRITES, YES)
        return
    yield row(name, "create", f"on {HOMES[name]}", WRITES, YES, YES, FORBIDDEN, INVALID)
    yield same(name, "create", "on what is hidden", WRITES, INVALID)
    yield same(name, "create", "on what never was", WRITES, INVALID)


def changing(name: str) -> Iterator[Row]:
    for operation in ("update", "delete"):
        editor = FORBIDDEN if name == "boards" else YES
        yield row(name, operation, ON_IT[name], WRITES, YES, editor, FORBIDDEN, NOT_FOUND)
        if name == "comments":
            no = FORBIDDEN
            yield row(name, operation, OTHERS, WRITES, no, no, no, NOT_FOUND)
        yield same(name, operation, ELSEWHERE, WRITES, NOT_FOUND)
        yield same(name, operation, NEVER, WRITES, NOT_FOUND)


def moving(name: str) -> Iterator[Row]:
    """To another board; a label stays where it is."""
    allowed = {
        TARGETS[0]: INVALID if name == "labels" else YES,
        TARGETS[1]: INVALID if name == "labels" else FORBIDDEN,
        TARGETS[2]: INVALID,
        TARGETS[3]: INVALID,
    }
    for target, told in allowed.items():
        yield row(name, "move", f"to {target}", WRITES, told, told, FORBIDDEN, NOT_FOUND)


def rows() -> Iterator[Row]:
    for name in COLLECTIONS:
        yield from reading(name)
        yield from creating(name)
        yield from changing(name)
        if name != "boards":
            yield from moving(name)


def sessions() -> Iterator[Row]:
    yield same(SESSIONS, "list", OWN, READS, SHOWN)
    yield same(SESSIONS, "list", ANOTHERS, READS, HIDDEN)
    yield same(SESSIONS, "create", "of a new client", READS, YES)
    yield same(SESSIONS, "create", "of somebody else's client", READS, MISMATCH)
    for operation in ("update", "delete"):
        yield same(SESSIONS, operation, OWN, READS, YES)
        yield same(SESSIONS, operation, ANOTHERS, READS, NOT_FOUND)
        yield same(SESSIONS, operation, NEVER, READS, NOT_FOUND)


MATRIX: tuple[Row, ...] = (*rows(), *sessions())
