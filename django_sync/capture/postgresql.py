"""PostgreSQL: the triggers on a synced table that decide id, revision and scope.

They run BEFORE each row is written. Comparisons are written out in PL/pgSQL, without WHEN or
UPDATE OF on the user's columns, which would block ALTER TABLE. They run as their owner, so
that writes of a role that may write only the user's table are captured too.
``postgresql_log`` logs what happened, ``postgresql_related`` has the other tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..models import Generation, Outbox, Tombstone
from .base import APART, CONTINUE, QUIET, UNKNOWN, Part, Path, Spec, Touch
from .postgresql_parts import (
    EQ,
    MINUS,
    NOW,
    PLUS,
    TEXT,
    UUID7,
    Names,
    Rows,
    differs,
    number,
    part,
    text,
)

OUTBOX = "model, object_id, revision, op, columns, scope, at, kind"
ROW = "FOR EACH ROW"


class Writer:
    """Writes the functions of one spec."""

    def __init__(self, connection: Any, spec: Spec) -> None:
        self.names, self.spec = Names(connection), spec
        self.rows, self.q = Rows(self.names), self.names.quote
        self.own = self.names.table(spec.table)
        self.id, self.rev, self.scope = map(self.q, (spec.id, spec.revision, spec.scope))
        self.pk = self.q(spec.pk)
        self.label = text(spec.label)

    # Pieces

    @property
    def tombstones(self) -> str:
        return self.names.table(Tombstone._meta.db_table)

    def log(self, values: str, source: str = "") -> str:
        """Entries in the outbox, one for each row of ``source``, or one without it.

        ``values`` gives id, revision, op, columns and scope.
        """
        table = self.names.table(Outbox._meta.db_table)
        return f"INSERT INTO {table} ({OUTBOX}) SELECT {self.label}, {values}, {NOW}, 'c' {source}"

    def entry(self, row: str, op: str, more: int = 0, columns: str = "''") -> str:
        """An entry of ``OLD`` or ``NEW``, its revision raised by ``more``."""
        revision = f"{row}.{self.rev} {PLUS} {more}" if more else f"{row}.{self.rev}"
        return self.log(f"{row}.{self.id}, {revision}, '{op}', {columns}, {row}.{self.scope}")

    def buried(self, row: str = "NEW") -> str:
        return (
            f"(SELECT t.revision FROM {self.tombstones} AS t "
            f"WHERE t.object_id {EQ} {row}.{self.id} AND t.model {EQ} {self.label})"
        )

    def gap(self) -> str:
        """Raise the model's generation."""
        table = self.names.table(Generation._meta.db_table)
        return (
            f"INSERT INTO {table} AS g (model, value) VALUES ({self.label}, 2) "
            f"ON CONFLICT (model) DO UPDATE SET value = g.value {PLUS} 1"
        )

    def touched(self, row: str) -> str:
        """The value that makes a row's own trigger raise its revision."""
        return f"({number(-APART)} {MINUS} {row}.{self.rev})"

    def touch(self, where: str, columns: str) -> str:
        """Raise the revision of the rows that ``where`` finds (as ``o``), and log it."""
        return (
            f"WITH touched AS (UPDATE {self.own} AS o SET {self.rev} = {self.touched('o')} "
            f"WHERE o.{self.id} IS NOT NULL AND {where} "
            f"RETURNING o.{self.id}, o.{self.rev}, o.{self.scope}) "
            + self.log(
                f"t.{self.id}, t.{self.rev}, 'u', {columns}, t.{self.scope}", "FROM touched AS t"
            )
        )

    def flip(self) -> str:
        """Make the row's own trigger compute its scope again, by writing another value."""
        return f"SET {self.scope} = CASE WHEN o.{self.scope} IS NULL THEN '' END"

    # The scope

    def scope_variables(self) -> str:
        path = self.spec.path
        if path is None or not path.hops:
            return ""
        places = [
            (self.own, path.source),
            *((self.names.table(h.table), h.column) for h in path.hops),
        ]
        return " ".join(
            f"sync__{i} {table}.{self.q(column)}%TYPE;" for i, (table, column) in enumerate(places)
        )

    def find_scope(self) -> str:
        """Statements that set ``NEW``'s scope: each hop is locked first, then read.

        Two statements, because a single one would read with a snapshot from before it waited for
        the lock. An id never changes: if it is there, no lock is needed.
        """
        path = self.spec.path
        if path is None:
            return f"NEW.{self.scope} := '';"
        if path == UNKNOWN:
            return f"NEW.{self.scope} := OLD.{self.scope};"
        if not path.hops:
            return f"NEW.{self.scope} := NEW.{self.q(path.source)}::{TEXT};"
        steps = [f"sync__0 := NEW.{self.q(path.source)};"]
        for i, hop in enumerate(path.hops):
            key = f"h.{self.q(hop.key)} {self.names.equal(hop.table, hop.key)} sync__{i}"
            where = f"FROM {self.names.table(hop.table)} AS h WHERE {key}"
            lock = f"PERFORM 1 {where} FOR KEY SHARE;"
            read = f"sync__{i + 1} := (SELECT h.{self.q(hop.column)} {where});"
            missing = (
                f"IF sync__{i + 1} IS NULL AND sync__{i} IS NOT NULL THEN {lock} {read} END IF;"
            )
            steps += [read, missing] if hop.fixed else [lock, read]
        return " ".join([*steps, f"NEW.{self.scope} := sync__{len(path.hops)}::{TEXT};"])

    def scope_of(self, row: str) -> str:
        """The scope as one expression over a row; for reading, not for decisions."""
        path = self.spec.path
        if path == UNKNOWN:
            return f"{row}.{self.scope}"
        return "''" if path is None else self._seek(path, f"{row}.{self.q(path.source)}", 0)

    def _seek(self, path: Path, value: str, i: int) -> str:
        if i == len(path.hops):
            return f"{value}::{TEXT}"
        hop = path.hops[i]
        rest = self._seek(path, f"h{i}.{self.q(hop.column)}", i + 1)
        table, equal = self.names.table(hop.table), self.names.equal(hop.table, hop.key)
        return f"(SELECT {rest} FROM {table} AS h{i} WHERE h{i}.{self.q(hop.key)} {equal} {value})"

    # The functions

    def parts(self) -> Iterator[Part]:
        on = self.spec.table
        yield part(self.names, self.spec, on, "a_insert", f"BEFORE INSERT@{ROW}", self.insert())
        yield part(self.names, self.spec, on, "b_update", f"BEFORE UPDATE@{ROW}", self.update())

    def insert(self) -> str:
        fill = f"IF NEW.{self.id} IS NULL THEN NEW.{self.id} := {UUID7}; END IF;"
        locks = " ".join(self.lock_touched(touch) for touch in self.spec.touches)
        return (
            f"DECLARE {self.scope_variables()} BEGIN {fill if self.spec.own_id else ''}"
            f" NEW.{self.rev} := greatest(NEW.{self.rev}, 1); {locks} {self.find_scope()}"
            " RETURN NEW; END"
        )

    def update(self) -> str:
        rev, scope, own = self.rev, self.scope, self.spec.own_id
        source = (self.spec.path and self.spec.path.source) or self.spec.id
        stirred = self.moves(source)
        other_scope = differs(f"OLD.{scope}", f"NEW.{scope}")
        hold = (
            f"IF OLD.{self.id} IS NOT NULL THEN NEW.{self.id} := OLD.{self.id}; "
            f"ELSIF NEW.{self.id} IS NULL AND (changed OR quiet) THEN NEW.{self.id} := {UUID7}; "
            f"END IF; quiet := quiet OR OLD.{self.id} IS NULL;"
        )
        anew = f"""IF {self.moves(self.spec.id)} THEN
    NEW.{rev} := greatest(OLD.{rev}, {self.buried()}) {PLUS} 1; END IF;"""
        relink = " ".join(
            f"IF {self.moves(t.link)} THEN {self.lock_touched(t)} END IF;"
            for t in self.spec.touches
        )
        return f"""
DECLARE
  changed boolean := {self.rows.differ(self.spec.columns)};
  touched boolean := NEW.{rev} {EQ} {self.touched("OLD")};
  quiet boolean := NEW.{rev} {EQ} {number(QUIET)};
  again boolean := NEW.{rev} {EQ} {CONTINUE};
  {self.scope_variables()}
BEGIN
  NEW.{rev} := OLD.{rev};
  {hold if own else ""}
  IF quiet OR {other_scope} OR {stirred} THEN
    {self.find_scope()}
  END IF;
  {relink}
  IF changed OR touched OR (NOT quiet AND {other_scope}) THEN
    NEW.{rev} := OLD.{rev} {PLUS} 1;
  ELSIF again THEN
    NEW.{rev} := greatest(OLD.{rev}, {self.buried()} {PLUS} 1);
  END IF;
  {"" if own else anew}
  RETURN NEW;
END"""

    def moves(self, column: str) -> str:
        """Whether an update changes this column, by its type's own equality."""
        name = self.q(column)
        return differs(f"OLD.{name}", f"NEW.{name}", self.names.equal(self.spec.table, column))

    def lock_touched(self, touch: Touch) -> str:
        """Keep a touched row from changing before this row is committed."""
        table, equal = self.names.table(touch.table), self.names.equal(touch.table, touch.key)
        where = f"h.{self.q(touch.key)} {equal} NEW.{self.q(touch.link)}"
        return f"PERFORM 1 FROM {table} AS h WHERE {where} FOR KEY SHARE;"
