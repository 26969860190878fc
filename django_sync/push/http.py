"""What senders over HTTP have in common: the one way out, and what its end means."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from .. import errors
from .address import Unsafe, Url
from .answers import receipt
from .outbound import Outbound, Unreachable
from .sender import Outcome, Receipt, Sender


class HttpSender(Sender):
    """A sender that makes one POST of each wake-up."""

    outbound = Outbound()
    """The connections of the process; another one in tests."""

    def allowed(self, url: object) -> Url:
        """The URL that a client named, in its parts; raises ``Invalid``."""
        try:
            return self.outbound.allowed(url)
        except Unsafe as error:
            raise errors.Invalid(f"“push” names no address to send to. {error}") from None

    def post(self, url: object, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Send, whatever comes of it."""
        try:
            answer = self.outbound.post(url, headers, body)
        except Unsafe as error:
            return Receipt(Outcome.REFUSED, problem=str(error))
        except Unreachable as error:
            return Receipt(Outcome.RETRY, problem=str(error))
        return receipt(answer, timezone.now())
