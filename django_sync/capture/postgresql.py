"""PostgreSQL: the triggers on a synced table itself.

BEFORE triggers decide id, revision and scope, AFTER triggers write down what
happened. All are row-level PL/pgSQL with comparisons written out, without WHEN or
UPDATE OF on the user's columns, which would stand in the way of ALTER TABLE. They
run as their owner with a fixed search_path, so that a role which may write nothing
but the user's table is captured too. ``postgresql_around`` has the other tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..models import Generation, Outbox, Tombstone
from .base import APART, CONTINUE, QUIET, UNKNOWN, Column, Part, Path, Spec, Touch
from .postgresql_parts import Names, part, text

UUID7 = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send("
    "floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), "
    "52, 1), 53, 1), 'hex')::uuid"
)
"""A version 4 UUID, its first 48 bits the time in milliseconds, its version made 7."""


class Writer:
    """Writes the functions of one spec."""

    def __init__(self, connection: Any, spec: Spec) -> None:
        self.names, self.spec = Names(connection), spec
        self.q = self.names.quote
        self.own = self.names.table(spec.table)
        self.id, self.rev, self.scope = map(self.q, (spec.id, spec.revision, spec.scope))
        self.pk = self.q(spec.pk)
        self.label = text(spec.label)

    # Pieces

    def differ(self, columns: tuple[Column, ...], a: str = "OLD", b: str = "NEW") -> str:
        return " OR ".join(self.differs(column, a, b) for column in columns) or "false"

    def differs(self, column: Column, a: str = "OLD", b: str = "NEW") -> str:
        as_text = '::text COLLATE "C"' if column.as_text else ""
        name = self.q(column.column)
        return f"{a}.{name}{as_text} IS DISTINCT FROM {b}.{name}{as_text}"

    def changed_names(self, columns: tuple[Column, ...]) -> str:
        cases = (f"CASE WHEN {self.differs(c)} THEN {text(c.name)} END" for c in columns)
        return f"concat_ws(',', {', '.join(cases)})" if columns else "''"

    def log(self, select: str) -> str:
        """An entry in the outbox; ``select`` gives id, revision, op, columns and scope."""
        table = self.names.table(Outbox._meta.db_table)
        return (
            f"INSERT INTO {table} (model, object_id, revision, op, columns, scope, at, kind) "
            f"SELECT {self.label}, e.*, clock_timestamp(), 'c' FROM ({select}) AS e"
        )

    def entry(self, row: str, op: str, more: int = 0, columns: str = "''") -> str:
        """An entry of ``OLD`` or ``NEW``, its revision raised by ``more``."""
        revision = f"{row}.{self.rev} + {more}"
        return self.log(
            f"VALUES ({row}.{self.id}, {revision}, '{op}', {columns}, {row}.{self.scope})"
        )

    def bury(self, revision: str) -> str:
        table = self.names.table(Tombstone._meta.db_table)
        return (
            f"INSERT INTO {table} AS t (model, object_id, revision, scope) VALUES "
            f"({self.label}, OLD.{self.id}, {revision}, OLD.{self.scope}) "
            "ON CONFLICT (object_id, model) DO UPDATE "
            "SET revision = greatest(t.revision, EXCLUDED.revision), scope = EXCLUDED.scope"
        )

    def buried(self) -> str:
        table = self.names.table(Tombstone._meta.db_table)
        return (
            f"(SELECT t.revision FROM {table} AS t "
            f"WHERE t.object_id = NEW.{self.id} AND t.model = {self.label})"
        )

    def gap(self) -> str:
        """Move the model's generation on."""
        table = self.names.table(Generation._meta.db_table)
        return (
            f"INSERT INTO {table} AS g (model, value) VALUES ({self.label}, 2) "
            "ON CONFLICT (model) DO UPDATE SET value = g.value + 1"
        )

    def touch(self, where: str, columns: str) -> str:
        """Raise the revision of the rows that ``where`` finds (as ``o``), and log it."""
        return (
            f"WITH touched AS (UPDATE {self.own} AS o SET {self.rev} = -(o.{self.rev} + {APART}) "
            f"WHERE o.{self.id} IS NOT NULL AND {where} "
            f"RETURNING o.{self.id}, o.{self.rev}, o.{self.scope}) "
            + self.log(
                f"SELECT t.{self.id}, t.{self.rev}, 'u', {columns}, t.{self.scope} "
                "FROM touched AS t"
            )
        )

    def flip(self) -> str:
        """Ask the row's own trigger for its scope anew, by writing what it is not."""
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

        Two statements, because one reads with a snapshot that is older than the
        lock it waited for. An id never changes: where it is there, no lock is needed.
        """
        path = self.spec.path
        if path is None:
            return f"NEW.{self.scope} := '';"
        if path == UNKNOWN:
            return f"NEW.{self.scope} := OLD.{self.scope};"
        if not path.hops:
            return f"NEW.{self.scope} := NEW.{self.q(path.source)}::text;"
        steps = [f"sync__0 := NEW.{self.q(path.source)};"]
        for i, hop in enumerate(path.hops):
            where = f"FROM {self.names.table(hop.table)} AS h WHERE h.{self.q(hop.key)} = sync__{i}"
            lock = f"PERFORM 1 {where} FOR KEY SHARE;"
            read = f"sync__{i + 1} := (SELECT h.{self.q(hop.column)} {where});"
            missing = (
                f"IF sync__{i + 1} IS NULL AND sync__{i} IS NOT NULL THEN {lock} {read} END IF;"
            )
            steps += [read, missing] if hop.fixed else [lock, read]
        return " ".join([*steps, f"NEW.{self.scope} := sync__{len(path.hops)}::text;"])

    def scope_of(self, row: str) -> str:
        """The scope as one expression over a row; for looking, not for deciding."""
        path = self.spec.path
        if path == UNKNOWN:
            return f"{row}.{self.scope}"
        return "''" if path is None else self._seek(path, f"{row}.{self.q(path.source)}", 0)

    def _seek(self, path: Path, value: str, i: int) -> str:
        if i == len(path.hops):
            return f"{value}::text"
        hop = path.hops[i]
        inner = self._seek(path, f"h{i}.{self.q(hop.column)}", i + 1)
        table = self.names.table(hop.table)
        return f"(SELECT {inner} FROM {table} AS h{i} WHERE h{i}.{self.q(hop.key)} = {value})"

    # The functions

    def parts(self) -> Iterator[Part]:
        on, each = self.spec.table, "FOR EACH ROW"
        for kind, event, body in (
            ("a_insert", f"BEFORE INSERT@{each}", self.before_insert()),
            ("b_update", f"BEFORE UPDATE@{each}", self.before_update()),
            ("log", f"AFTER INSERT OR UPDATE OR DELETE@{each}", self.after()),
            ("gap", "AFTER TRUNCATE@FOR EACH STATEMENT", f"BEGIN {self.gap()}; RETURN NULL; END"),
        ):
            yield part(self.names, self.spec, on, kind, event, body)
        if self.spec.path and self.spec.path.hops:
            when = f"DEFERRABLE INITIALLY DEFERRED {each} WHEN (NEW.{self.scope} IS NULL)"
            event = f"AFTER INSERT OR UPDATE@{when}"
            yield part(self.names, self.spec, on, "late", event, self.late())

    def before_insert(self) -> str:
        fill = f"IF NEW.{self.id} IS NULL THEN NEW.{self.id} := {UUID7}; END IF;"
        locks = " ".join(self.lock_touched(touch) for touch in self.spec.touches)
        return (
            f"DECLARE {self.scope_variables()} BEGIN {fill if self.spec.own_id else ''}"
            f" NEW.{self.rev} := greatest(NEW.{self.rev}, 1); {locks} {self.find_scope()}"
            " RETURN NEW; END"
        )

    def before_update(self) -> str:
        rev, scope, own = self.rev, self.scope, self.spec.own_id
        source = (self.spec.path and self.spec.path.source) or self.spec.id
        stirred = f"OLD.{self.q(source)} IS DISTINCT FROM NEW.{self.q(source)}"
        hold = (
            f"IF OLD.{self.id} IS NOT NULL THEN NEW.{self.id} := OLD.{self.id}; "
            f"ELSIF NEW.{self.id} IS NULL AND (changed OR quiet) THEN NEW.{self.id} := {UUID7}; "
            f"END IF; quiet := quiet OR OLD.{self.id} IS NULL;"
        )
        anew = f"""IF OLD.{self.id} IS DISTINCT FROM NEW.{self.id} THEN
    NEW.{rev} := greatest(OLD.{rev}, {self.buried()}) + 1; END IF;"""
        relink = " ".join(
            f"IF OLD.{self.q(t.link)} IS DISTINCT FROM NEW.{self.q(t.link)} THEN "
            f"{self.lock_touched(t)} END IF;"
            for t in self.spec.touches
        )
        return f"""
DECLARE
  changed boolean := {self.differ(self.spec.columns)};
  touched boolean := NEW.{rev} = -(OLD.{rev} + {APART});
  quiet boolean := NEW.{rev} = {QUIET};
  again boolean := NEW.{rev} = {CONTINUE};
  {self.scope_variables()}
BEGIN
  NEW.{rev} := OLD.{rev};
  {hold if own else ""}
  IF quiet OR OLD.{scope} IS DISTINCT FROM NEW.{scope} OR {stirred} THEN
    {self.find_scope()}
  END IF;
  {relink}
  IF changed OR touched OR (NOT quiet AND OLD.{scope} IS DISTINCT FROM NEW.{scope}) THEN
    NEW.{rev} := OLD.{rev} + 1;
  ELSIF again THEN
    NEW.{rev} := greatest(OLD.{rev}, {self.buried()} + 1);
  END IF;
  {"" if own else anew}
  RETURN NEW;
END"""

    def lock_touched(self, touch: Touch) -> str:
        """Let no change of a touched row pass this row by before it is committed."""
        table, key, link = self.names.table(touch.table), self.q(touch.key), self.q(touch.link)
        return f"PERFORM 1 FROM {table} AS h WHERE h.{key} = NEW.{link} FOR KEY SHARE;"

    def after(self) -> str:
        gone = f"{self.entry('OLD', 'd', 1)}; {self.bury(f'OLD.{self.rev} + 1')};"
        old, new = f"OLD.{self.id}", f"NEW.{self.id}"
        rekeyed = f"""IF {old} IS DISTINCT FROM {new} THEN
      {gone} {self.entry("NEW", "c")}; RETURN NULL; END IF;"""
        return f"""
DECLARE
  columns_ text; moved boolean; buried_ bigint;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF {new} IS NULL OR NEW.{self.rev} = OLD.{self.rev} THEN RETURN NULL; END IF;
    {"" if self.spec.own_id else rekeyed}
    columns_ := {self.changed_names(self.spec.columns)};
    moved := {old} IS NOT NULL AND NEW.{self.scope} IS DISTINCT FROM OLD.{self.scope};
    IF moved THEN {self.entry("OLD", "m", 1)}; END IF;
    IF moved OR columns_ <> '' THEN {self.entry("NEW", "u", columns="columns_")}; END IF;
  ELSIF TG_OP = 'INSERT' THEN
    {self.await_burial()}
    buried_ := {self.buried()};
    IF buried_ >= NEW.{self.rev} THEN
      UPDATE {self.own} AS o SET {self.rev} = {CONTINUE} WHERE o.{self.pk} = NEW.{self.pk};
      NEW.{self.rev} := buried_ + 1;
    END IF;
    {self.entry("NEW", "c")};
  ELSIF {old} IS NOT NULL THEN
    {gone}
  END IF;
  RETURN NULL;
END"""

    def await_burial(self) -> str:
        """Where the snapshot may be older than a delete of the same id: fail, not restart.

        A unique key sees what the snapshot does not.
        """
        table = self.names.table(Tombstone._meta.db_table)
        return f"""IF current_setting('transaction_isolation') <> 'read committed' THEN
      INSERT INTO {table} (model, object_id, revision) VALUES ({self.label}, NEW.{self.id}, 0)
        ON CONFLICT (object_id, model) DO NOTHING;
      DELETE FROM {table} AS t
        WHERE t.object_id = NEW.{self.id} AND t.model = {self.label} AND t.revision = 0;
    END IF;"""

    def late(self) -> str:
        """At commit: the row that a foreign key names may have come after this one."""
        return f"""BEGIN
  UPDATE {self.own} AS o {self.flip()} WHERE o.{self.pk} = NEW.{self.pk}
    AND o.{self.scope} IS NULL AND {self.scope_of("o")} IS NOT NULL;
  RETURN NULL;
END"""
