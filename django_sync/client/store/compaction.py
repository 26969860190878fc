"""Whether a mutation is folded into one that was never sent. Pure decisions.

What may be folded is narrow, because the outbox's order is what the server will
see, and others may stand on it:

- *directly behind*: nothing of another object lies between the two, so moving
  the later one to the earlier one's place passes nobody;
- an update of what is *created* here may also pass creates that neither mention
  the object nor are mentioned in the update: what they need of each other can
  only be a reference, and there is none;
- a create and its delete *vanish* where nothing else in the outbox mentions the
  object.

What was sent once is never folded: its body is fixed under its id (R2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..types import Mutation
from .encoding import Json, dumps
from .overlay import State


@dataclass(frozen=True)
class Draft:
    """A mutation to be: what is asked, and the server's state on which it was made.

    A ``whole`` one brings a deleted object back: it is sent with the last known
    record beneath its fields. In the outbox it has only what the user typed (R3).
    """

    op: str
    fields: Json
    base_revision: int | None = None
    epoch: str | None = None
    base: Json | None = None
    whole: bool = False


@dataclass(frozen=True)
class Append:
    """The draft becomes a mutation of its own."""


@dataclass(frozen=True)
class Fold:
    """The draft goes into the mutation at ``seq``, which becomes ``draft``."""

    seq: int
    draft: Draft


@dataclass(frozen=True)
class Vanish:
    """The mutation at ``seq`` and the draft cancel each other."""

    seq: int


Decision = Append | Fold | Vanish


def mentions(mutation: Mutation, object_id: str) -> bool:
    """Whether the mutation's content names the object."""
    return object_id in dumps(mutation.fields)


def _passes(draft: Draft, last: Mutation, between: Sequence[Mutation]) -> bool:
    return all(
        other.op == "create"
        and not mentions(other, last.object_id)
        and other.object_id not in dumps(draft.fields)
        for other in between
    )


def _folded_update(draft: Draft, last: Mutation) -> Draft | None:
    same_base = (draft.base_revision, draft.epoch) == (last.base_revision, last.epoch)
    if not same_base and not draft.fields.keys() <= last.fields.keys():
        return None
    base = {**(draft.base or {}), **(last.base or {})} or None
    return Draft("update", {**last.fields, **draft.fields}, last.base_revision, last.epoch, base)


def fold(
    draft: Draft, last: Mutation | None, between: Sequence[Mutation], mentioned: bool
) -> Decision:
    """Decide about a draft.

    ``last`` is the newest outbox entry of the same object, ``between`` what other
    objects' entries came after it, ``mentioned`` whether any of the outbox names
    the object.
    """
    if last is None or last.state != State.NEW:
        return Append()
    match last.op, draft.op:
        case "create", "update" if _passes(draft, last, between):
            return Fold(last.seq, Draft("create", {**last.fields, **draft.fields}))
        case "create", "delete" if not mentioned:
            return Vanish(last.seq)
        case "update", "update" if not between:
            folded = _folded_update(draft, last)
            return Append() if folded is None else Fold(last.seq, folded)
        case "update", "delete" if not between:
            return Fold(last.seq, Draft("delete", {}, last.base_revision, last.epoch))
    return Append()
