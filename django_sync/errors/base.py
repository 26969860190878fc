"""The root of all errors, and how an error becomes a problem (RFC 9457)."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

FieldErrors = Mapping[str, Sequence[Mapping[str, str]]]
"""Field name to a list of ``{"code": …, "detail": …}``."""

MOST_TEXT = 500
"""Characters of one text in a problem, at most, because texts may repeat what was sent."""


def printable(text: str) -> str:
    """Return the text, cut to ``MOST_TEXT``, as every connection and database can hold it.

    A NUL, which PostgreSQL refuses, and half a surrogate, which UTF-8 cannot encode, become the
    replacement character.
    """
    sound = text[:MOST_TEXT].replace("\0", "\ufffd")
    sound = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in sound)
    return sound if len(text) <= MOST_TEXT else f"{sound}…"


class Retry(enum.Enum):
    """Whether sending the same thing again can help."""

    NEVER = "no"
    AFTER_CHANGE = "not as it is: change the request first"
    AFTER_PULL = "after a pull"
    LATER = "yes, later; obey Retry-After"


class SyncError(Exception):
    """Something went wrong in the sync.

    The root of all errors here; catching it catches each of them.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = Retry.NEVER
    client_does: ClassVar[str] = "Shows the problem's detail."

    def __init__(
        self,
        detail: str = "",
        *,
        errors: FieldErrors | None = None,
        retry_after: float | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = detail or self.title()
        self.errors = errors
        self.retry_after = retry_after
        self.record = record
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """Return the first line of the class's docstring."""
        return (inspect.getdoc(cls) or cls.__name__).splitlines()[0].rstrip(".")

    def problem(self) -> dict[str, Any]:
        """Return this error as an RFC 9457 body, with our ``code``."""
        body: dict[str, Any] = {
            "type": f"urn:django-sync:error:{self.code}",
            "title": self.title(),
            "status": self.status,
            "detail": printable(self.detail),
            "code": self.code,
        }
        if self.errors is not None:
            body["errors"] = {
                printable(name): [{k: printable(str(v)) for k, v in e.items()} for e in found]
                for name, found in self.errors.items()
            }
        if self.record is not None:
            body["record"] = dict(self.record)
        return body
