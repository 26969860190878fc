"""Logs that machines read: what is told of a request, and a formatter that writes JSON.

Each request of the protocol and each frame of a socket is told once, by ``django_sync.requests``,
with its facts as ``extra``. Facts are ids, numbers and words of ours; nothing that a client sent,
no value of a field, no credential is among them. This file knows no framework.
"""

from __future__ import annotations

import datetime
import json
import logging
import re
from collections.abc import Sequence
from typing import Any

__all__ = ["FACTS", "MOST_MUTATIONS", "JsonFormatter", "level_of", "tell"]

requests = logging.getLogger("django_sync.requests")

FACTS = {
    "call": "what was asked: `sync_pull`, `sync_mutations`, `sync_rest`, `sync_live`, "
    "`sync_sessions`; `frame hello`, `frame ack`, `frame ping`; `socket`, `stream`",
    "method": "the request's method",
    "status": "of the answer; of a socket that has closed its close code",
    "code": "the problem's, where it was refused",
    "duration_ms": "milliseconds, a held request's waiting included",
    "user": "the user's primary key",
    "client": "the `client_id`",
    "session": "the session's id",
    "mutations": "ids of the batch's mutations, 20 at most",
    "mutation_count": "how many mutations the batch had",
}
"""Names of what is told, and what each is; one that is not known is left out."""

MOST_MUTATIONS = 20
"""Ids of mutations that one line holds."""

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_SECRET = re.compile(r"token|ticket|secret|passw|cookie|authorization|api_?key", re.IGNORECASE)
_IN_TEXT = re.compile(r"\b(ticket|token|cursor)=[^&\s\"']+", re.IGNORECASE)
_MOST_ENTRIES = 100


def level_of(status: int) -> int:
    """``ERROR`` for an HTTP status of our failing, ``WARNING`` for a refusal, ``INFO`` else."""
    if status >= 500:
        return logging.ERROR
    return logging.WARNING if status >= 400 else logging.INFO


def tell(level: int, facts: dict[str, Any]) -> None:
    """One line of a request or a frame; ``facts`` under the names of ``FACTS``."""
    if not requests.isEnabledFor(level):
        return
    known = {name: value for name, value in facts.items() if value is not None}
    words = [str(known.get(name)) for name in ("method", "call", "status", "code") if name in known]
    requests.log(level, " ".join(words), extra=known)


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON.

    Name it in ``LOGGING``: ``{"()": "django_sync.logs.JsonFormatter"}``. A line has ``time``,
    ``level``, ``logger``, ``message``, the record's extras that are plain values, and ``exception``
    where there is one. Extras whose names sound like secrets are left out, and a ticket, token or
    cursor in an address that somebody logs is struck out.
    """

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": struck(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in line and not _SECRET.search(name):
                plain = _plain(value)
                if plain is not None:
                    line[name] = plain
        if record.exc_info:
            line["exception"] = struck(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def struck(text: str) -> str:
    """The text without what stands behind ``ticket=`` and its like."""
    return _IN_TEXT.sub(r"\1=…", text)


def _plain(value: Any) -> Any:
    """A number, a text, or a list of these; ``None`` for all else: it may hold anything."""
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return struck(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [one for one in map(_plain, value[:_MOST_ENTRIES]) if one is not None]
    return None
