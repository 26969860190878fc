"""SQLite: all triggers of a model, and those on the tables related to the synced one.

Tables on the path to a scope pass a move on to their descendants. Through tables, extending
tables and touched ones raise the revision of the row that is made from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .base import Child, Hop, Installed, Part, Path, Spec, Through, Touch
from .sqlite import PREFIX, Writer, text

NOTE = re.compile(r"FOR EACH ROW /\* (\w+) (\S+) \*/")


def installed(connection: Any) -> Iterator[Installed]:
    """Each trigger of ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' "
            f"AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'"
        )
        rows = cursor.fetchall()
    for table, name, sql in rows:
        noted = NOTE.search(sql)
        way, label = noted.groups() if noted else ("", "")
        drop = (f"DROP TRIGGER IF EXISTS {connection.ops.quote_name(name)}",)
        yield Installed(table, name, sql, drop, label, way)


def parts(connection: Any, spec: Spec) -> Iterator[Part]:
    """Every trigger of one synced model."""
    writer = Writer(connection, spec)
    yield from writer.parts()
    related = RelatedTables(writer)
    if spec.path:
        for i, hop in enumerate(spec.path.hops):
            yield from related.hop(spec.path, i, hop)
    for touch in spec.touches:
        yield related.touch(touch)
    for child in spec.children:
        yield from related.child(child)
    for through in spec.throughs:
        yield from related.through(through)


class RelatedTables:
    """Writes the triggers on other tables of one spec."""

    def __init__(self, writer: Writer) -> None:
        self.w = writer

    def hop(self, path: Path, i: int, hop: Hop) -> Iterator[Part]:
        """A row on the path to scopes has changed, or was inserted after the rows that name it."""
        below = f"NEW.{self.w.q(hop.key)}"
        for j in range(i - 1, -1, -1):
            upper = path.hops[j]
            below = (
                f"(SELECT {self.w.q(upper.key)} FROM {self.w.q(upper.table)} "
                f"WHERE {self.w.q(upper.column)} {'=' if j == i - 1 else 'IN'} {below})"
            )
        move = (
            f"{self.w.flip} WHERE {self.w.q(path.source)} {'IN' if i else '='} {below} "
            f"AND {self.w.id} IS NOT NULL"
        )
        column = self.w.q(hop.column)
        differs = f"NEW.{column} IS NOT OLD.{column}"
        yield self.w.part(hop.table, "move", "UPDATE", differs, (move,), f"hop{i}")
        late = f"{move} AND {self.w.scope} IS NULL"
        yield self.w.part(hop.table, "late", "INSERT", "", (late,), f"hop{i}")

    def touch(self, touch: Touch) -> Part:
        where = f"{self.w.q(touch.link)} = NEW.{self.w.q(touch.key)}"
        names = self.w.changed_names(touch.columns) if touch.name is None else text(touch.name)
        steps, key = self.w.touch(where, names), f"{touch.name}|{[c.column for c in touch.columns]}"
        return self.w.part(touch.table, "touch", "UPDATE", self.w.differ(touch.columns), steps, key)

    def child(self, child: Child) -> Iterator[Part]:
        every = text(",".join(column.name for column in child.columns))
        for event, row, when, names in (
            ("INSERT", "NEW", "", every),
            ("UPDATE", "NEW", self.w.differ(child.columns), self.w.changed_names(child.columns)),
            ("DELETE", "OLD", "", every),
        ):
            where = f"{self.w.q(self.w.spec.pk)} = {row}.{self.w.q(child.link)}"
            yield self.w.part(child.table, "child", event, when, self.w.touch(where, names), event)

    def through(self, through: Through) -> Iterator[Part]:
        fk, name = self.w.q(through.column), text(through.name)
        for event, when, rows in (
            ("INSERT", "", f"(NEW.{fk})"),
            ("DELETE", "", f"(OLD.{fk})"),
            ("UPDATE", self.w.differ(through.columns), f"(OLD.{fk}, NEW.{fk})"),
        ):
            steps = self.w.touch(f"{self.w.q(through.target)} IN {rows}", name)
            key = f"{through.name}|{event}"
            yield self.w.part(through.table, "m2m", event, when, steps, key)
