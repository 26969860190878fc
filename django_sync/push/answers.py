"""What an HTTP answer to a wake-up means. Pure."""

from __future__ import annotations

import datetime
from email.utils import parsedate_to_datetime

from ..errors import printable
from .outbound import Answer
from .sender import Outcome, Receipt

__all__ = ["receipt", "retry_after"]

GONE = (404, 410)
LATER = (408, 425, 429)
SHOWN = 200
"""Characters of an answer's body that staff are shown."""


def receipt(answer: Answer, now: datetime.datetime) -> Receipt:
    """What came of it."""
    if 200 <= answer.status < 300:
        return Receipt(Outcome.SENT, answer.status)
    told = " ".join(printable(answer.text).split())[:SHOWN]
    problem = f"{answer.status} {told}".strip()
    if answer.status in GONE:
        return Receipt(Outcome.GONE, answer.status, problem)
    if answer.status in LATER or answer.status >= 500:
        asked = retry_after(answer.headers.get("retry-after"), now)
        return Receipt(Outcome.RETRY, answer.status, problem, asked)
    if 300 <= answer.status < 400:
        problem = f"{answer.status}: redirects are not followed."
    return Receipt(Outcome.REFUSED, answer.status, problem)


def retry_after(text: str | None, now: datetime.datetime) -> float | None:
    """Seconds that ``Retry-After`` asks for, in either of its forms; ``None`` where it is none."""
    if text is None:
        return None
    told = text.strip()
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    if at.tzinfo is None:  # “-0000”, which says the same of the time
        at = at.replace(tzinfo=datetime.UTC)
    return max((at - now).total_seconds(), 0.0)
