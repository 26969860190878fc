"""What a user's replica is to hold, put together from the example's tables by SQL."""

from __future__ import annotations

import json
import sqlite3
import uuid
from typing import Any

Records = dict[str, dict[str, dict[str, Any]]]
"""By collection and id: the fields, references as on the wire, and the revision."""

HIDDEN = frozenset({"id", "sync_id", "sync_revision", "sync_scope", "created_at"})
BOARDS = """SELECT id FROM boards_board WHERE owner_id = :user
    OR id IN (SELECT board_id FROM boards_membership WHERE user_id = :user)"""
TABLES = {
    "board": f"id IN ({BOARDS})",
    "label": f"board_id IN ({BOARDS})",
    "card": f"board_id IN ({BOARDS})",
    "comment": f"card_id IN (SELECT id FROM boards_card WHERE board_id IN ({BOARDS}))",
}


def seen_by(rows: sqlite3.Connection, user: str) -> Records:
    names = {row["id"]: row["username"] for row in rows.execute("SELECT * FROM auth_user")}
    [who] = [id for id, name in names.items() if name == user]
    found = {
        table: rows.execute(f"SELECT * FROM boards_{table} WHERE {where}", {"user": who}).fetchall()
        for table, where in TABLES.items()
    }
    ids: dict[str, dict[int, str]] = {
        table: {row["id"]: str(uuid.UUID(row["sync_id"])) for row in found[table]}
        for table in TABLES
    }
    labels: dict[int, list[str]] = {}
    for row in rows.execute("SELECT card_id, label_id FROM boards_card_labels"):
        if row["card_id"] in ids["card"]:
            labels.setdefault(row["card_id"], []).append(ids["label"][row["label_id"]])
    return {
        f"{table}s": {
            ids[table][row["id"]]: _record(table, row, ids, names, labels) for row in found[table]
        }
        for table in TABLES
    }


def _record(
    table: str,
    row: sqlite3.Row,
    ids: dict[str, dict[int, str]],
    names: dict[int, str],
    labels: dict[int, list[str]],
) -> dict[str, Any]:
    told: dict[str, Any] = {"revision": row["sync_revision"]}
    for name in set(row.keys()) - HIDDEN:
        of = name.removesuffix("_id")
        told[of] = row[name] if of == name else ids.get(of, names)[row[name]]
    if table == "card":
        told["checklist"] = json.loads(told["checklist"])
        told["labels"] = sorted(labels.get(row["id"], []))
    return told
