"""How the records of a serializer come from the database as text.

The database writes all members of a record that it writes exactly as DRF does. Each other member
(a float, a JSON column, a time in a local zone) is a gap: it is read as a value, and Python writes
its JSON into the gap. A page without gaps is one text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, router

from ...conf import conf
from ...fields import id_field
from ...models.database import connection
from ...protocol import ReadyRecord, Record
from .cells import Cell, ManyCell
from .encoding import strictly_encoded
from .expression import DIALECTS, IdList, Part, RecordText
from .kinds import ID, INTEGER, SCOPE, UUID, column_kind
from .queries import Joined, joined, rendered_by

MOST_MEMBERS = 150
"""The most members of a record that the database joins: SQLite limits an expression's depth."""


@dataclass(frozen=True, slots=True)
class TextPlan:
    """The texts that the database makes of a record, and the cells that go between them.

    ``whole`` is the record without gaps, for a page whose ids are looked at besides.
    """

    collection: str
    id_name: str
    texts: Mapping[str, RecordText]
    whole: RecordText | None
    gaps: tuple[Cell, ...]

    def records(self, queryset: Any) -> list[Record] | None:
        """The records of a query's rows; ``None`` if Python has to make one of them."""
        if rendered_by(queryset) is None:
            return None
        lookups = [cell.lookup for cell in self.gaps]
        fixed = (self.id_name, "sync_revision", "sync_scope")
        rows = queryset.prefetch_related(None).annotate(**self.texts)
        made: list[Record] = []
        for id, revision, scope, *values in rows.values_list(*fixed, *lookups, *self.texts):
            text = self._filled(values[len(lookups) :], values)
            if text is None:
                return None
            made.append(ReadyRecord(self.collection, id, revision, scope, text))
        return made

    def _filled(self, texts: Sequence[str | None], values: Sequence[Any]) -> str | None:
        """A record's text with the gaps filled; ``None`` if JSON cannot represent a value."""
        if not all(texts):
            return None
        pieces = [str(texts[0])]
        for cell, value, text in zip(self.gaps, values, texts[1:], strict=False):
            try:
                piece = "null" if value is None else strictly_encoded(cell.convert(value))
            except ValueError:
                return None
            pieces += [piece, str(text)]
        return "".join(pieces)

    def page(self, queryset: Any) -> Joined | None:
        """A page of a query's rows as one text; ``None`` if Python has to handle each row."""
        if self.whole is None or rendered_by(queryset) is None:
            return None
        return joined(queryset.prefetch_related(None), self.id_name, self.whole)


def text_plan(
    collection: str, model: type[models.Model], members: Sequence[Cell | ManyCell]
) -> TextPlan | None:
    """The text plan of a record's members; ``None`` where the database cannot make it."""
    dialect = DIALECTS.get(connection().vendor)
    id = id_field(model)
    own = all(column_kind(column) for column in (id, *_columns_of_sync(model)))
    if dialect is None or not own or len(members) > MOST_MEMBERS:
        return None
    head: list[Part] = [f'{{"op":"put","collection":{json.dumps(collection)},"id":']
    head += [(UUID, id.name), ',"revision":', (INTEGER, "sync_revision")]
    head += [',"scope":', (SCOPE, "sync_scope"), ',"object":{']
    texts, gaps = [head], []
    for n, member in enumerate(members):
        name = json.dumps(member.name, ensure_ascii=False)
        texts[-1].append(f"{',' if n else ''}{name}:")
        part = _part(member, dialect)
        if part is not None:
            texts[-1].append(part)
        elif isinstance(member, Cell):
            gaps.append(member)
            texts.append([])
        else:
            return None
    texts[-1].append("}}")
    merged = [list(_merged(parts)) for parts in texts]
    first, _, *more = merged[0]
    whole = None if gaps else RecordText([first, (ID, id.name), *more])
    named = {f"sync_text_{n}": RecordText(parts) for n, parts in enumerate(merged)}
    return TextPlan(collection, id.name, named, whole, tuple(gaps))


def _columns_of_sync(model: Any) -> tuple[Any, Any]:
    return model._meta.get_field("sync_revision"), model._meta.get_field("sync_scope")


def _part(member: Cell | ManyCell, dialect: Any) -> Part | None:
    if isinstance(member, ManyCell):
        return _listed(member)
    if member.kind is None or member.kind.name not in dialect.TEMPLATES:
        return None
    return member.kind, member.lookup


def _listed(cell: ManyCell) -> Part | None:
    """The list of ids as a subquery, where the table between is in the same database."""
    if router.db_for_read(cell.through) != conf.DATABASE:
        return None
    rows = cell.through._base_manager.using(conf.DATABASE)
    rows = rows.filter(**{cell.source: models.OuterRef("pk")}).order_by(cell.target)
    return IdList(rows.annotate(sync_item=models.F(cell.target)).values("sync_item"))


def _merged(parts: Iterable[Part]) -> Iterable[Part]:
    """The parts with texts that follow one another as one."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
        yield part
        text = ""
    if text:
        yield text
