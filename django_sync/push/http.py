"""What the senders over HTTP have in common: the POST, and what its answer means."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from django.utils import timezone

from .. import errors
from .address import Unsafe, Url
from .outbound import Answer, Outbound, Unreachable
from .sender import Outcome, Receipt, Sender

__all__ = ["HttpSender", "receipt", "retry_after"]

GONE = (404, 410)
LATER = (408, 425, 429)
SHOWN = 200
"""Characters of an answer's body that staff can see."""


class HttpSender(Sender):
    """A sender that makes one POST for each wake-up."""

    outbound = Outbound()
    """The connections of the process; tests use another one."""

    def allowed(self, url: object) -> Url:
        """The URL that a client named, in its parts; raises ``Invalid``."""
        try:
            return self.outbound.allowed(url)
        except Unsafe as error:
            raise errors.Invalid(f"“push” names no address to send to. {error}") from None

    def post(self, url: object, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Send; return what came of it."""
        try:
            answer = self.outbound.post(url, headers, body)
        except Unsafe as error:
            return Receipt(Outcome.REFUSED, problem=str(error))
        except Unreachable as error:
            return Receipt(Outcome.RETRY, problem=str(error))
        return receipt(answer, timezone.now())


def receipt(answer: Answer, now: datetime.datetime) -> Receipt:
    """What an HTTP answer to a wake-up means."""
    if 200 <= answer.status < 300:
        return Receipt(Outcome.SENT, answer.status)
    text = " ".join(errors.printable(answer.text).split())[:SHOWN]
    problem = f"{answer.status} {text}".strip()
    if answer.status in GONE:
        return Receipt(Outcome.GONE, answer.status, problem)
    if answer.status in LATER or answer.status >= 500:
        asked = retry_after(answer.headers.get("retry-after"), now)
        return Receipt(Outcome.RETRY, answer.status, problem, asked)
    if 300 <= answer.status < 400:
        problem = f"{answer.status}: redirects are not followed."
    return Receipt(Outcome.REFUSED, answer.status, problem)


def retry_after(header: str | None, now: datetime.datetime) -> float | None:
    """The seconds of a ``Retry-After`` header in either form; ``None`` if it has none."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:  # “-0000”: the time is in UTC, too
        at = at.replace(tzinfo=datetime.UTC)
    return max((at - now).total_seconds(), 0.0)
