"""Compaction of the outbox: whether a new write merges into a mutation that was never sent.

Pure decisions. Few mutations may merge, because the server sees the outbox in its order, and
later mutations may depend on earlier ones:

- a write *directly after* an earlier one of its object may merge: no mutation of another object
  lies between the two, so none is passed;
- an update of an object that is *created* here may also pass other creates, if neither mentions
  the other's object: a reference is the only way to depend on each other;
- a create and its delete *cancel* each other if nothing else in the outbox mentions the object.

A mutation that was sent is never changed: its body is fixed under its id (R2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..types import Mutation
from .encoding import Json, dumps
from .overlay import State


@dataclass(frozen=True)
class Draft:
    """A future mutation: what it asks for, and the server's state on which it was made.

    A ``whole`` one brings a deleted object back: it is sent with the last known record beneath
    its fields. In the outbox it has only the user's input (R3).
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
class Merge:
    """The draft merges into the mutation at ``seq``, which becomes ``draft``."""

    seq: int
    draft: Draft


@dataclass(frozen=True)
class Cancel:
    """The mutation at ``seq`` and the draft cancel each other."""

    seq: int


Decision = Append | Merge | Cancel


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


def _merged_update(draft: Draft, last: Mutation) -> Draft | None:
    same_base = (draft.base_revision, draft.epoch) == (last.base_revision, last.epoch)
    if not same_base and not draft.fields.keys() <= last.fields.keys():
        return None
    base = {**(draft.base or {}), **(last.base or {})} or None
    return Draft("update", {**last.fields, **draft.fields}, last.base_revision, last.epoch, base)


def compact(
    draft: Draft, last: Mutation | None, between: Sequence[Mutation], mentioned: bool
) -> Decision:
    """Decide about a draft.

    ``last`` is the newest outbox entry of the same object, ``between`` are the later entries of
    other objects, ``mentioned`` says whether another entry names the object.
    """
    if last is None or last.state != State.NEW:
        return Append()
    match last.op, draft.op:
        case "create", "update" if _passes(draft, last, between):
            return Merge(last.seq, Draft("create", {**last.fields, **draft.fields}))
        case "create", "delete" if not mentioned:
            return Cancel(last.seq)
        case "update", "update" if not between:
            merged = _merged_update(draft, last)
            return Append() if merged is None else Merge(last.seq, merged)
        case "update", "delete" if not between:
            return Merge(last.seq, Draft("delete", {}, last.base_revision, last.epoch))
    return Append()
