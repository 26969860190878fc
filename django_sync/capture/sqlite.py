"""SQLite: the triggers on a synced table itself.

They are AFTER triggers that write the row once more, and the log itself.

SQLite has no BEFORE trigger that can alter a row. No trigger must react to the work of another,
with ``recursive_triggers`` on or off. So a trigger changes a row in one of two ways. For a simple
insert or update it writes the log entry first, then sets the entry's values in the row: triggers
ignore a row that becomes what the last entry has. Otherwise it first makes the revision negative,
``-(revision + APART)``, then sets the correct values: triggers ignore a row whose revision goes to
that value or comes from below zero. There is one writer at a time, so no locks are needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..models import Change, Tombstone
from .base import APART, QUIET, UNKNOWN, Column, Part, Path, Spec, digest, way_of

PREFIX = "django_sync_"

ROWID = ", rowid, oid, _rowid_"
"""Other names of an integer primary key in a statement."""

UUID7 = (
    "(SELECT printf('%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) || '7' || "
    "substr(r, 2, 3) || substr('89ab', 1 + (random() & 3), 1) || substr(r, 5, 15) "
    "FROM (SELECT lower(hex(randomblob(10))) AS r))"
)
"""A version 7 UUID in hexadecimal."""


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


class Writer:
    """Writes the triggers of one spec."""

    def __init__(self, connection: Any, spec: Spec) -> None:
        self.spec, self.q = spec, connection.ops.quote_name
        self.own = self.q(spec.table)
        self.id, self.rev, self.scope = map(self.q, (spec.id, spec.revision, spec.scope))
        self.label = text(spec.label)
        self.row = f"{self.own}.rowid = NEW.rowid"
        scope = self.scope
        self.flip = f"UPDATE {self.own} SET {scope} = CASE WHEN {scope} IS NULL THEN '' END"
        self.hide = f"UPDATE {self.own} SET {self.rev} = -({self.rev} + {APART})"

    def part(
        self, table: str, kind: str, event: str, when: str, steps: tuple[str, ...], key: str = ""
    ) -> Part:
        name = f"{PREFIX}{kind}_{digest(self.spec.label, table, kind, key)}"
        condition = f" WHEN {when}" if when else ""
        note = f"/* {way_of(self.spec)} {self.spec.label} */"
        body = "".join(f"  {step};\n" for step in steps)
        sql = (
            f"CREATE TRIGGER {self.q(name)} AFTER {event} ON {self.q(table)} "
            f"FOR EACH ROW {note}{condition} BEGIN\n{body}END"
        )
        drop = f"DROP TRIGGER IF EXISTS {self.q(name)}"
        return Part(self.spec.label, table, name, sql, (drop, sql))

    # Pieces

    def differ(self, columns: tuple[Column, ...]) -> str:
        return f"({' OR '.join(map(self.differs, columns)) or '0'})"

    def differs(self, column: Column) -> str:
        name = self.q(column.column)
        return f"NEW.{name} IS NOT OLD.{name}{' COLLATE BINARY' if column.as_text else ''}"

    def changed_names(self, columns: tuple[Column, ...]) -> str:
        cases = (
            f"CASE WHEN {self.differs(c)} THEN {text(c.name + ',')} ELSE '' END" for c in columns
        )
        return f"rtrim({' || '.join(cases)}, ',')" if columns else "''"

    def log(
        self, id: str, revision: str, op: str, columns: str, scope: str, source: str = ""
    ) -> str:
        """An entry in the log, one for each row of ``source``, or one without it."""
        return (
            f"INSERT INTO {self.q(Change._meta.db_table)} "
            "(model, object_id, revision, op, columns, scope, at, mark) "
            f"SELECT {self.label}, {id}, {revision}, '{op}', {columns}, {scope}, "
            f"strftime('%Y-%m-%d %H:%M:%f', 'now'), random() & 9007199254740991 {source}"
        )

    def log_row(self, op: str, columns: str, where: str) -> str:
        """An entry of the synced rows that ``where`` finds, as they now are."""
        return self.log(
            self.id, self.rev, op, columns, self.scope, f"FROM {self.own} WHERE {where}"
        )

    def buried(self, row: str) -> str:
        return (
            f"(SELECT revision FROM {self.q(Tombstone._meta.db_table)} "
            f"WHERE object_id = {row}.{self.id} AND model = {self.label})"
        )

    def bury(self) -> tuple[str, str]:
        """The traces of a delete: an entry, and a tombstone."""
        scope = f"OLD.{self.scope}"
        return (
            self.log(f"OLD.{self.id}", f"OLD.{self.rev} + 1", "d", "''", scope),
            f"INSERT INTO {self.q(Tombstone._meta.db_table)} (model, object_id, revision, scope) "
            f"VALUES ({self.label}, OLD.{self.id}, OLD.{self.rev} + 1, {scope}) "
            "ON CONFLICT (object_id, model) DO UPDATE SET "
            "revision = max(revision, excluded.revision), scope = excluded.scope",
        )

    def touch(self, where: str, columns: str) -> tuple[str, ...]:
        """Raise the revision of the rows that ``where`` finds, and log it."""
        where = f"{where} AND {self.id} IS NOT NULL"
        return (
            f"{self.hide} WHERE {where} AND {self.rev} >= 0",
            f"UPDATE {self.own} SET {self.rev} = 1 - {self.rev} - {APART} "
            f"WHERE {where} AND {self.rev} < 0",
            self.log_row("u", columns, where),
        )

    def scope_of(self, row: str) -> str:
        """The scope as an expression over a row of the synced table."""
        path = self.spec.path
        if path == UNKNOWN:
            return f"{row}.{self.scope}"
        return "''" if path is None else self._seek(path, f"{row}.{self.q(path.source)}", 0)

    def _seek(self, path: Path, value: str, i: int) -> str:
        if i == len(path.hops):
            return self._spell(value) if path.is_uuid else f"CAST({value} AS TEXT)"
        hop = path.hops[i]
        rest = self._seek(path, f"h{i}.{self.q(hop.column)}", i + 1)
        found = f"{self.q(hop.table)} AS h{i} WHERE h{i}.{self.q(hop.key)} = {value}"
        return f"(SELECT {rest} FROM {found})"

    def _spell(self, value: str) -> str:
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return "lower(" + " || '-' || ".join(f"substr({value}, {a}, {n})" for a, n in cuts) + ")"

    # The table itself

    def parts(self) -> Iterator[Part]:
        """``OF`` names what a statement sets: triggers' writes then need no comparison of content.

        ``update`` reacts to changes of content only, ``adopt`` also if the row has no id yet,
        ``stir`` to changes of our columns and of the column that the scope is found by.
        """
        on, id, rev, scope = self.spec.table, self.id, self.rev, self.scope
        source = self.q((self.spec.path and self.spec.path.source) or self.spec.id)
        known = f"OLD.{rev} >= 0 AND NEW.{rev} IS NOT -(OLD.{rev} + {APART})"
        changed = self.differ(self.spec.columns)
        other = (
            f"(NEW.{rev} IS NOT OLD.{rev} OR NEW.{scope} IS NOT OLD.{scope} "
            f"OR NEW.{id} IS NOT OLD.{id})"
        )
        moved = f"NEW.{source} IS NOT OLD.{source}"
        yield self.part(on, "insert", "INSERT", "", self.inserted())
        yield self.part(on, "delete", "DELETE", f"OLD.{id} IS NOT NULL", self.bury())
        content = f"UPDATE OF {', '.join(self.q(c.column) for c in self.spec.columns)}{ROWID}"
        content_only = f"{known} AND NOT ({other} OR {moved}) AND {changed}"
        if self.spec.columns:
            updated = f"OLD.{id} IS NOT NULL AND {content_only}"
            yield self.part(on, "update", content, updated, self.updated())
        odd = f"{known} AND ({moved} OR ({other} AND NOT {self.is_logged()}))"
        if self.spec.own_id:
            if self.spec.columns:
                bare = f"OLD.{id} IS NULL AND {content_only}"
                yield self.part(on, "adopt", content, bare, self.stirred(changed))
        else:
            odd += f" AND NEW.{id} IS OLD.{id}"
            rekeyed = f"{known} AND NEW.{id} IS NOT OLD.{id}"
            yield self.part(on, "rekey", f"UPDATE OF {id}{ROWID}", rekeyed, self.rekeyed())
        ours = ", ".join(dict.fromkeys((rev, scope, id, source)))
        yield self.part(on, "stir", f"UPDATE OF {ours}{ROWID}", odd, self.stirred(changed))

    def is_logged(self) -> str:
        """Whether the new values are those of the last log entry: then a trigger of ours set them.

        No other write can set them: after the last entry, the row already has these values.
        """
        return (
            f"(NEW.{self.rev}, NEW.{self.id}, NEW.{self.scope}, {self.label}, 1) IS "
            "(SELECT revision, object_id, scope, model, op <> 'd' "
            f"FROM {self.q(Change._meta.db_table)} ORDER BY position DESC LIMIT 1)"
        )

    def inserted(self) -> tuple[str, ...]:
        """Write the log entry first; then set the row to the entry's values, if they differ."""
        id, rev, scope = self.id, self.rev, self.scope
        new_id = f"coalesce(NEW.{id}, {UUID7})" if self.spec.own_id else f"NEW.{id}"
        revision = f"max(NEW.{rev}, 1, coalesce({self.buried('NEW')}, 0) + 1)"
        own = (("object_id", id),) if self.spec.own_id else ()
        pairs = (*own, ("revision", rev), ("scope", scope))
        here, there = (", ".join(names) for names in zip(*((b, a) for a, b in pairs), strict=True))
        entry = (
            f"(SELECT {there} FROM {self.q(Change._meta.db_table)} "
            "WHERE position = last_insert_rowid())"
        )
        return (
            self.log(new_id, revision, "c", "''", self.scope_of("NEW")),
            f"UPDATE {self.own} SET ({here}) = {entry} "
            f"WHERE {self.row} AND ({here}) IS NOT {entry}",
        )

    def updated(self) -> tuple[str, ...]:
        """A simple update: content has changed, nothing else."""
        id, rev, scope = self.id, self.rev, self.scope
        names = self.changed_names(self.spec.columns)
        return (
            self.log(f"NEW.{id}", f"OLD.{rev} + 1", "u", names, f"NEW.{scope}"),
            f"UPDATE {self.own} SET {rev} = OLD.{rev} + 1 WHERE {self.row}",
        )

    def stirred(self, changed: str) -> tuple[str, ...]:
        """An update of our columns, or of the column that the scope is found by."""
        id, rev, scope = self.id, self.rev, self.scope
        right, quiet = self.scope_of(self.own), f"(NEW.{rev} = {QUIET} OR OLD.{id} IS NULL)"
        hold = (
            f", {id} = coalesce(OLD.{id}, NEW.{id}, "
            f"CASE WHEN {changed} OR NEW.{rev} = {QUIET} THEN {UUID7} END)"
        )
        raised = f"{self.row} AND {rev} > OLD.{rev}"
        moved = f"{scope} IS NOT OLD.{scope} AND OLD.{id} IS NOT NULL"
        return (
            f"UPDATE {self.own} SET {rev} = -(abs({rev}) + {APART})"
            f"{hold if self.spec.own_id else ''} WHERE {self.row}",
            f"UPDATE {self.own} SET {scope} = {right}, {rev} = OLD.{rev} + ({changed} "
            f"OR (NOT {quiet} AND {right} IS NOT OLD.{scope})) WHERE {self.row}",
            self.log(
                id, rev, "m", "''", f"OLD.{scope}", f"FROM {self.own} WHERE {raised} AND {moved}"
            ),
            self.log_row("u", self.changed_names(self.spec.columns), raised),
        )

    def rekeyed(self) -> tuple[str, ...]:
        """A change of the primary key that is the id: one object is deleted, another created."""
        rev, scope = self.rev, self.scope
        return (
            f"{self.hide} WHERE {self.row} AND {rev} >= 0",
            f"UPDATE {self.own} SET {scope} = {self.scope_of(self.own)}, "
            f"{rev} = max(OLD.{rev}, coalesce({self.buried(self.own)}, 0)) + 1 WHERE {self.row}",
            *self.bury(),
            self.log_row("c", "''", self.row),
        )
