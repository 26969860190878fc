"""How long the server took to answer: from the last byte of a request to its answer's beginning.

Neither the connection's own beginning, several round trips over TLS, nor a large body's upload
is in it. What the server does before it answers is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .cancel import Cutter


class Timed:
    """Stands in one request's ``trace`` extension, in front of the cutter's."""

    def __init__(
        self,
        cutter: Cutter,
        took: Callable[[float], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cutter = cutter
        self._took = took
        self._now = now
        self._sent_at: float | None = None

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            self._sent_at = self._now()
        elif event.endswith("receive_response_headers.complete") and self._sent_at is not None:
            self._took(self._now() - self._sent_at)
            self._sent_at = None
        self._cutter.trace(event, info)
