"""Logs that machines read: one record for each request, and a formatter that writes JSON.

The logger ``django_sync.requests`` gets one record for each request of the protocol and for each
frame of a socket, with its facts as ``extra``. Facts are ids, numbers and words of the protocol.
They contain nothing that a client sent, no value of a field and no credential. This file knows no
framework.
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
"""The names of the facts, and what each means; a fact that is not known is left out."""

MOST_MUTATIONS = 20
"""Ids of mutations in one record, at most."""

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
_SECRET = re.compile(r"token|ticket|secret|passw|cookie|authorization|api_?key", re.IGNORECASE)
_IN_TEXT = re.compile(r"\b(ticket|token|cursor)=[^&\s\"']+", re.IGNORECASE)
_MOST_ENTRIES = 100


def level_of(status: int) -> int:
    """Return ``ERROR`` if the server failed, ``WARNING`` for a refusal, else ``INFO``."""
    if status >= 500:
        return logging.ERROR
    return logging.WARNING if status >= 400 else logging.INFO


def tell(level: int, facts: dict[str, Any]) -> None:
    """Log a request or a frame; ``facts`` have the names of ``FACTS``."""
    if not requests.isEnabledFor(level):
        return
    known = {name: value for name, value in facts.items() if value is not None}
    words = [str(known.get(name)) for name in ("method", "call", "status", "code") if name in known]
    requests.log(level, " ".join(words), extra=known)


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON.

    Name it in ``LOGGING``: ``{"()": "django_sync.logs.JsonFormatter"}``. The object has ``time``,
    ``level``, ``logger``, ``message``, the record's extras that are simple values, and
    ``exception`` if there is one. Extras with a name like that of a secret are left out. A ticket,
    token or cursor in a logged address is removed.
    """

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        entry: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": struck(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in entry and not _SECRET.search(name):
                simple = _simple(value)
                if simple is not None:
                    entry[name] = simple
        if record.exc_info:
            entry["exception"] = struck(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


def struck(text: str) -> str:
    """Return the text without the values of ``ticket=``, ``token=`` and ``cursor=``."""
    return _IN_TEXT.sub(r"\1=…", text)


def _simple(value: Any) -> Any:
    """Return a number, a text, or a list of these; ``None`` for all else: it may be secret."""
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return struck(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [one for one in map(_simple, value[:_MOST_ENTRIES]) if one is not None]
    return None
