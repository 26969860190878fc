"""PostgreSQL: the triggers on a synced table that write its changes to the outbox.

INSERT and DELETE are logged for each statement, from its transition table: one call and one
INSERT for all of its rows. UPDATE is logged for each row, after the row is written: only then
its content is final (ADR 23).

A trigger for each statement belongs to the table that the statement names. Where rows can be
written under another table name, as in a partition, INSERT and DELETE are logged for each row.
"""

from __future__ import annotations

from collections.abc import Iterator

from .base import CONTINUE, Part
from .postgresql import ROW, Writer
from .postgresql_parts import EQ, GE, GT, NE, PLUS, SNAPSHOT, differs, part, text

NEW_ROWS = "REFERENCING NEW TABLE AS sync_new FOR EACH STATEMENT"
OLD_ROWS = "REFERENCING OLD TABLE AS sync_old FOR EACH STATEMENT"

BY_INDEX = "SET enable_seqscan = off"
"""PostgreSQL keeps a plan for the session. A plan made while there were no tombstones would later
read all tombstones for each row."""


class Log:
    """Writes the functions of one spec that fill the outbox."""

    def __init__(self, writer: Writer) -> None:
        self.w = writer
        self.old, self.new = f"OLD.{writer.id}", f"NEW.{writer.id}"

    def parts(self) -> Iterator[Part]:
        if self.w.names.has_other_names(self.w.spec.table):
            event = f"AFTER INSERT OR UPDATE OR DELETE@{ROW}"
            yield self.part("log", event, self.row())
        else:
            yield self.part("log_insert", f"AFTER INSERT@{NEW_ROWS}", self.inserted(), BY_INDEX)
            yield self.part("log", f"AFTER UPDATE@{ROW}", self.updated())
            yield self.part("log_delete", f"AFTER DELETE@{OLD_ROWS}", self.deleted())
        gap = f"BEGIN {self.w.gap()}; RETURN NULL; END"
        yield self.part("gap", "AFTER TRUNCATE@FOR EACH STATEMENT", gap)
        if self.w.spec.path and self.w.spec.path.hops:
            when = f"DEFERRABLE INITIALLY DEFERRED {ROW} WHEN (NEW.{self.w.scope} IS NULL)"
            yield self.part("late", f"AFTER INSERT OR UPDATE@{when}", self.late())

    def part(self, kind: str, event: str, body: str, options: str = "") -> Part:
        return part(self.w.names, self.w.spec, self.w.spec.table, kind, event, body, "", options)

    # For each statement

    def inserted(self) -> str:
        """Log the new rows. A row with a tombstone gets the revision after the tombstone's."""
        w = self.w
        revision = f"greatest(n.{w.rev}, {w.buried('n')} {PLUS} 1)"
        values = f"n.{w.id}, {revision}, 'c', '', n.{w.scope}"
        revive = text(
            f"UPDATE {w.own} AS o SET {w.rev} = {CONTINUE} FROM sync_new AS n "
            f"WHERE o.{w.pk} {w.names.equal(w.spec.table, w.spec.pk)} n.{w.pk} "
            f"AND {w.buried('n')} {GE} n.{w.rev}"
        )
        return f"""
DECLARE
  again boolean; id_ pg_catalog.uuid;
BEGIN
  IF {SNAPSHOT} THEN
    FOR id_ IN SELECT n.{w.id} FROM sync_new AS n LOOP {self.await_burial("id_")} END LOOP;
  END IF;
  WITH logged AS ({w.log(values, "FROM sync_new AS n")} RETURNING revision)
    SELECT pg_catalog.max(l.revision) {GT} 1 INTO again FROM logged AS l;
  IF again THEN EXECUTE {revive}; END IF;
  RETURN NULL;
END"""

    def deleted(self) -> str:
        w = self.w
        source = f"FROM sync_old AS o WHERE o.{w.id} IS NOT NULL"
        values = f"o.{w.id}, o.{w.rev} {PLUS} 1, 'd', '', o.{w.scope}"
        return f"BEGIN {w.log(values, source)}; {self.bury('o', source)}; RETURN NULL; END"

    # For each row

    def row(self) -> str:
        """Log all three events for each row: for tables with other names."""
        return f"""
DECLARE
  columns_ {self.COLUMNS}; moved boolean; buried_ bigint;
BEGIN
  IF TG_OP {EQ} 'UPDATE' THEN {self.update()}
  ELSIF TG_OP {EQ} 'INSERT' THEN {self.insert()}
  ELSIF {self.old} IS NOT NULL THEN {self.gone()}
  END IF;
  RETURN NULL;
END"""

    COLUMNS = "pg_catalog.text"

    def updated(self) -> str:
        declare = f"DECLARE columns_ {self.COLUMNS}; moved boolean;"
        return f"{declare} BEGIN {self.update()} RETURN NULL; END"

    def update(self) -> str:
        w = self.w
        rekeyed = f"""IF {w.moves(w.spec.id)} THEN
      {self.gone()} {w.entry("NEW", "c")}; RETURN NULL; END IF;"""
        return f"""
    IF {self.new} IS NULL THEN RETURN NULL; END IF;
    IF NEW.{w.rev} {EQ} OLD.{w.rev} THEN {self.overtaken()} RETURN NULL; END IF;
    {"" if w.spec.own_id else rekeyed}
    columns_ := {w.rows.changed_names(w.spec.columns)};
    moved := {self.old} IS NOT NULL AND {differs(f"NEW.{w.scope}", f"OLD.{w.scope}")};
    IF moved THEN {w.entry("OLD", "m", 1)}; END IF;
    IF moved OR columns_ {NE} '' THEN {w.entry("NEW", "u", columns="columns_")}; END IF;"""

    def overtaken(self) -> str:
        """Raise the revision if a BEFORE trigger after ours has changed the row once more."""
        w = self.w
        row = f"o.{w.pk} {w.names.equal(w.spec.table, w.spec.pk)} NEW.{w.pk}"
        touch = w.touch(row, w.rows.changed_names(w.spec.columns))
        return f"IF {w.rows.differ(w.spec.columns)} THEN {touch}; END IF;"

    def insert(self) -> str:
        w = self.w
        return f"""
    IF {SNAPSHOT} THEN {self.await_burial(self.new)} END IF;
    buried_ := {w.buried()};
    IF buried_ {GE} NEW.{w.rev} THEN
      UPDATE {w.own} AS o SET {w.rev} = {CONTINUE}
        WHERE o.{w.pk} {w.names.equal(w.spec.table, w.spec.pk)} NEW.{w.pk};
      NEW.{w.rev} := buried_ {PLUS} 1;
    END IF;
    {w.entry("NEW", "c")};"""

    def gone(self) -> str:
        return f"{self.w.entry('OLD', 'd', 1)}; {self.bury('OLD')};"

    # Both

    def bury(self, row: str, source: str = "") -> str:
        """Write a tombstone for each deleted row."""
        w = self.w
        return (
            f"INSERT INTO {w.tombstones} AS t (model, object_id, revision, scope) "
            f"SELECT {w.label}, {row}.{w.id}, {row}.{w.rev} {PLUS} 1, {row}.{w.scope} {source} "
            "ON CONFLICT (object_id, model) DO UPDATE "
            "SET revision = greatest(t.revision, EXCLUDED.revision), scope = EXCLUDED.scope"
        )

    def await_burial(self, id: str) -> str:
        """Fail if another transaction has deleted the same id after this transaction's snapshot.

        The snapshot does not show that tombstone, but its unique key still conflicts.
        """
        w = self.w
        return f"""INSERT INTO {w.tombstones} (model, object_id, revision)
        VALUES ({w.label}, {id}, 0) ON CONFLICT (object_id, model) DO NOTHING;
      DELETE FROM {w.tombstones} AS t
        WHERE t.object_id {EQ} {id} AND t.model {EQ} {w.label} AND t.revision {EQ} 0;"""

    def late(self) -> str:
        """At commit, find the scope again: the parent row may have been inserted after this one."""
        w = self.w
        return f"""BEGIN
  UPDATE {w.own} AS o {w.flip()}
    WHERE o.{w.pk} {w.names.equal(w.spec.table, w.spec.pk)} NEW.{w.pk}
    AND o.{w.scope} IS NULL AND {w.scope_of("o")} IS NOT NULL;
  RETURN NULL;
END"""
