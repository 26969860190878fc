"""JSON in and out, whatever was sent and whatever is stored.

Stricter than DRF's own where it reads (UTF-8 alone, whatever charset a request
claims: Python has codecs that decompress; a bound on the bytes; no NaN), and more
forbearing where it writes: what one row holds must not end the sync of all.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from .. import errors
from ..conf import conf
from ..rendering import finite


def too_large() -> errors.TooLarge:
    """The error of a body above the limit."""
    return errors.TooLarge(f"A body holds at most {conf.BODY_BYTES} bytes.")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class SyncParser(BaseParser):
    """Reads JSON in UTF-8, no more of it than the limit."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Raise ``Invalid`` for what is no JSON, or nested too deeply to be read."""
        raw = stream.read(conf.BODY_BYTES + 1)
        if len(raw) > conf.BODY_BYTES:
            raise too_large()
        try:
            return json.loads(raw.decode("utf-8"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise errors.Invalid("The body is no JSON in UTF-8.") from None


class SyncRenderer(JSONRenderer):
    """JSON, also of texts and numbers that neither JSON nor UTF-8 can say."""

    strict = True

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> Any:
        """Write NaN and infinities, which raw SQL can store, as null; half surrogates escaped."""
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except ValueError:
            sayable = json.dumps(finite(data), cls=self.encoder_class, allow_nan=False)
            return sayable.encode("ascii")


class ProblemRenderer(SyncRenderer):
    """JSON under the media type of problems."""

    media_type = "application/problem+json"
