"""PostgreSQL: the triggers on the tables related to a synced one.

Tables on the path to a scope pass a move on to their descendants. Through tables, extending tables
and touched ones raise the revision of the row that is made from them. A trigger that could run
while another transaction adds a row that it does not see yet takes ``FOR UPDATE`` on its own row
first; the other transaction holds ``FOR KEY SHARE`` on that row until it commits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .base import Child, Column, Part, Path, Spec, Through, Touch
from .postgresql import ROW, Writer
from .postgresql_log import Log
from .postgresql_parts import EQ, SNAPSHOT, part, text


def parts(connection: Any, spec: Spec) -> Iterator[Part]:
    """Every trigger of one synced model."""
    writer = Writer(connection, spec)
    yield from writer.parts()
    yield from Log(writer).parts()
    related = RelatedTables(writer)
    if spec.path:
        for i in range(len(spec.path.hops)):
            yield from related.hop(spec.path, i)
    for touch in spec.touches:
        yield from related.touch(touch)
    for child in spec.children:
        yield from related.child(child)
    for through in spec.throughs:
        yield from related.through(through)


class RelatedTables:
    """Writes the functions on other tables of one spec."""

    def __init__(self, writer: Writer) -> None:
        self.w, self.spec, self.q = writer, writer.spec, writer.q

    def part(self, table: str, kind: str, event: str, body: str, key: str = "") -> Part:
        return part(self.w.names, self.spec, table, kind, event, body, key)

    def hold(self, table: str, key: str, columns: tuple[Column, ...], mark: str) -> Part:
        """Before this row changes, wait for transactions that have read it and not committed.

        Under REPEATABLE READ their rows would stay invisible to the trigger that must apply the
        change to them, so the change is refused.
        """
        why = text(
            f"django_sync: objects of {self.spec.label} depend on this row of {table}; "
            "such a change needs READ COMMITTED."
        )
        body = f"""BEGIN
  IF {self.w.rows.differ(columns)} THEN
    IF {SNAPSHOT} THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = {why};
    END IF;
    PERFORM 1 FROM {self.w.names.table(table)} AS h
      WHERE h.{self.q(key)} {self.w.names.equal(table, key)} OLD.{self.q(key)} FOR UPDATE;
  END IF;
  RETURN NEW;
END"""
        return self.part(table, "hold", f"BEFORE UPDATE@{ROW}", body, mark)

    def hop(self, path: Path, i: int) -> Iterator[Part]:
        hop = path.hops[i]
        columns = (Column("", hop.column, False),)
        yield self.hold(hop.table, hop.key, columns, f"hop{i}")
        below, equal = "$1", self.w.names.equal
        for j in range(i - 1, -1, -1):
            upper, table = path.hops[j], path.hops[j].table
            any_ = "" if j == i - 1 else "ANY"
            below = (
                f"(SELECT h{j}.{self.q(upper.key)} FROM {self.w.names.table(table)} AS h{j} WHERE "
                f"h{j}.{self.q(upper.column)} {equal(table, upper.column)} {any_} {below})"
            )
        move = (
            f"UPDATE {self.w.own} AS o {self.w.flip()} WHERE o.{self.w.id} IS NOT NULL AND "
            f"o.{self.q(path.source)} {equal(self.spec.table, path.source)} "
            f"{'ANY' if i else ''} {below}"
        )
        body = f"""BEGIN
  IF {self.w.rows.differ(columns)} THEN
    EXECUTE {text(move)} USING NEW.{self.q(hop.key)};
  END IF;
  RETURN NULL;
END"""
        yield self.part(hop.table, "move", f"AFTER UPDATE@{ROW}", body, f"hop{i}")

    def touch(self, touch: Touch) -> Iterator[Part]:
        mark = f"{touch.name}|{','.join(c.column for c in touch.columns)}"
        yield self.hold(touch.table, touch.key, touch.columns, mark)
        equal = self.w.names.equal(self.spec.table, touch.link)
        where = f"o.{self.q(touch.link)} {equal} NEW.{self.q(touch.key)}"
        names = self.w.rows.changed_names(touch.columns) if touch.name is None else text(touch.name)
        body = f"""BEGIN
  IF {self.w.rows.differ(touch.columns)} THEN {self.w.touch(where, names)}; END IF;
  RETURN NULL;
END"""
        yield self.part(touch.table, "touch", f"AFTER UPDATE@{ROW}", body, mark)

    def child(self, child: Child) -> Iterator[Part]:
        every = text(",".join(column.name for column in child.columns))
        own = f"o.{self.w.pk} {self.w.names.equal(self.spec.table, self.spec.pk)}"
        new, old = f"{own} NEW.{self.q(child.link)}", f"{own} OLD.{self.q(child.link)}"
        body = f"""BEGIN
  IF TG_OP {EQ} 'UPDATE' THEN
    IF {self.w.rows.differ(child.columns)} THEN
      {self.w.touch(new, self.w.rows.changed_names(child.columns))};
    END IF;
  ELSIF TG_OP {EQ} 'INSERT' THEN {self.w.touch(new, every)};
  ELSE {self.w.touch(old, every)};
  END IF;
  RETURN NULL;
END"""
        yield self.part(child.table, "child", f"AFTER INSERT OR UPDATE OR DELETE@{ROW}", body)
        yield self.truncated(child.table, "child")

    def truncated(self, table: str, key: str) -> Part:
        body = f"BEGIN {self.w.gap()}; RETURN NULL; END"
        return self.part(table, "gap", "AFTER TRUNCATE@FOR EACH STATEMENT", body, key)

    def through(self, through: Through) -> Iterator[Part]:
        """Set-based, so that two links added at once are one change.

        It uses EXECUTE, because a plan kept from a transition table of one row is very slow for
        one of ten thousand rows.
        """
        fk, pk = self.q(through.column), self.q(through.pk)
        equal = self.w.names.equal(through.table, through.pk)
        owner = self.w.names.equal(self.spec.table, through.target)
        differ = self.w.rows.differ(through.columns, "a", "b")
        lost = (
            f"SELECT a.{fk} FROM {{}} AS a WHERE NOT EXISTS (SELECT FROM {{}} AS b "
            f"WHERE b.{pk} {equal} a.{pk} AND NOT ({differ}))"
        )
        both = f"{lost.format('sync_old', 'sync_new')} UNION {lost.format('sync_new', 'sync_old')}"
        for event, tables, found in (
            ("INSERT", "NEW TABLE AS sync_new", f"SELECT a.{fk} FROM sync_new AS a"),
            ("DELETE", "OLD TABLE AS sync_old", f"SELECT a.{fk} FROM sync_old AS a"),
            ("UPDATE", "OLD TABLE AS sync_old NEW TABLE AS sync_new", both),
        ):
            where = f"o.{self.q(through.target)} {owner} ANY ({found})"
            sql = text(self.w.touch(where, text(through.name)))
            body = f"BEGIN EXECUTE {sql}; RETURN NULL; END"
            clause = f"AFTER {event}@REFERENCING {tables} FOR EACH STATEMENT"
            yield self.part(through.table, "m2m", clause, body, f"{through.name}|{event}")
        yield self.truncated(through.table, through.name)
