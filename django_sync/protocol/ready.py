"""Records and changes that are JSON text already.

Where the database makes a record's text, it makes the text of the whole ``put``. That text is sent
as it is. It is parsed only when code reads the record's ``object``, and then once.
"""

from __future__ import annotations

import builtins
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from .members import Json
from .pages import Change, Page, Record
from .results import Result
from .words import Op, Status

PUT = '{"op":"put",'
"""How the text of each ``put`` begins; the record's members follow."""

Item = TypeVar("Item")
_set = builtins.object.__setattr__


@dataclass(frozen=True, slots=True)
class ReadyText:
    """JSON objects as text, joined by commas: ``count`` of them."""

    text: str
    count: int = 1

    def objects(self) -> list[Json]:
        parsed: list[Json] = json.loads(f"[{self.text}]")
        return parsed


class ReadyRecord(Record):
    """A record whose ``put`` is already text."""

    __slots__ = ("_parsed", "put")

    put: str
    _parsed: Json | None

    def __init__(self, collection: str, id: Any, revision: int, scope: str, put: str) -> None:
        for name, value in zip(_OWN, (collection, id, revision, scope, put, None), strict=True):
            _set(self, name, value)

    @property
    def object(self) -> Json:
        """The object, parsed from the text; the same dict each time."""
        if self._parsed is None:
            _set(self, "_parsed", json.loads(self.put)["object"])
        assert self._parsed is not None
        return self._parsed

    def as_change(self) -> Change:
        return ReadyChange(self)

    @property
    def text(self) -> ReadyText:
        """The record alone, without ``op``, as in a list of records."""
        return ReadyText("{" + self.put.removeprefix(PUT))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Record) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # its object is a dict

    def __repr__(self) -> str:
        return f"ReadyRecord({self.put})"


_OWN = ("collection", "id", "revision", "scope", "put", "_parsed")


class ReadyChange(Change):
    """The ``put`` of a ``ReadyRecord``."""

    __slots__ = ("_record",)

    _record: ReadyRecord

    def __init__(self, record: ReadyRecord) -> None:
        values = (Op.PUT, record.collection, record.id, record.revision, record.scope, record)
        names = ("op", "collection", "id", "revision", "scope", "_record")
        for name, value in zip(names, values, strict=True):
            _set(self, name, value)

    @property
    def object(self) -> Json:
        return self._record.object

    @property
    def record(self) -> Record:
        return self._record

    @property
    def text(self) -> ReadyText:
        """The whole change."""
        return ReadyText(self._record.put)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Change) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # its object is a dict

    def __repr__(self) -> str:
        return f"ReadyChange({self._record.put})"


class ReadyResult(Result):
    """The result of a mutation that took effect, with a record of which the text is known."""

    __slots__ = ("_record",)

    _record: ReadyRecord

    def __init__(self, id: uuid.UUID, status: Status, revision: int, record: ReadyRecord) -> None:
        values = (id, status, revision, None, None, (), False, record)
        for name, value in zip(_OF_RESULT, values, strict=True):
            _set(self, name, value)

    @property
    def record(self) -> Json:
        return self._record.to_json()

    @property
    def text(self) -> ReadyText:
        """The whole result."""
        return ReadyText(
            f'{{"id":"{self.id}","status":"{self.status}","replayed":false,'
            f'"revision":{self.revision},"record":{self._record.text.text}}}'
        )

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Result) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # its record is a dict

    def __repr__(self) -> str:
        return f"ReadyResult({self.text.text})"


_OF_RESULT = ("id", "status", "revision", "conflict", "problem", "resolved", "replayed", "_record")


class ReadyList(Sequence[Item], Generic[Item]):
    """A list in which some items are still JSON text.

    ``read`` makes an item from a parsed JSON object. ``len()`` does not parse.
    """

    def __init__(self, parts: Iterable[Item | ReadyText], read: Callable[[Json], Item]) -> None:
        self.parts = tuple(parts)
        self._read = read
        self._items: list[Item] | None = None

    def __len__(self) -> int:
        return sum(part.count if isinstance(part, ReadyText) else 1 for part in self.parts)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # its items are dicts

    def _all(self) -> list[Item]:
        if self._items is None:
            self._items = [item for part in self.parts for item in self._of(part)]
        return self._items

    def _of(self, part: Item | ReadyText) -> list[Item]:
        if isinstance(part, ReadyText):
            return [self._read(found) for found in part.objects()]
        return [part]


class ReadyChanges(ReadyList[Change]):
    """The changes of a page; some are still text."""

    def __init__(self, parts: Iterable[Change | ReadyText]) -> None:
        super().__init__(parts, lambda body: Record.from_json(body).as_change())


def page_body(page: Page) -> Json:
    """The same as ``Page.to_json``, but ``changes`` is a ``ReadyList``: nothing is parsed."""
    changes = page.changes.parts if isinstance(page.changes, ReadyList) else page.changes
    parts = (change if isinstance(change, ReadyText) else _part(change) for change in changes)
    body = Page((), page.cursor, page.has_more, page.epoch, page.snapshot).to_json()
    return body | {"changes": ReadyList(parts, dict)}


def _part(change: Change) -> Json | ReadyText:
    return change.text if isinstance(change, ReadyChange) else change.to_json()
