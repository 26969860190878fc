"""JSON in and out, for everything that is sent and stored.

The parser is stricter than DRF's: it reads only UTF-8, because Python has codecs that decompress;
it limits the bytes; it refuses NaN. The renderer is more lenient than DRF's, because the content of
one row must not end the sync of all.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from typing import Any, NoReturn

from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from .. import errors
from ..conf import conf
from ..drf.rendering import finite
from ..protocol import Json, ReadyList, ReadyText


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
    """JSON, also of texts and numbers that JSON or UTF-8 cannot express."""

    strict = True

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> Any:
        """Write NaN and infinities, which raw SQL can store, as null; half surrogates escaped."""
        listing = isinstance(data, dict) and any(isinstance(v, ReadyList) for v in data.values())
        try:
            if listing and self._is_compact(accepted_media_type, renderer_context or {}):
                return self._joined(data)
            data = parsed(data) if listing else data
            return super().render(data, accepted_media_type, renderer_context)
        except ValueError:
            data = parsed(data) if listing else data
            expressible = json.dumps(finite(data), cls=self.encoder_class, allow_nan=False)
            return expressible.encode("ascii")

    def _is_compact(self, media_type: Any, context: Any) -> bool:
        """Whether JSON is written as the database writes it: no spaces, nothing escaped."""
        indent = self.get_indent(media_type, context)
        return indent is None and self.compact and not self.ensure_ascii

    def _joined(self, data: Json) -> bytes:
        """The bytes of a body; members that are text already stay as they are.

        All pieces are joined once, because a page may be a megabyte.
        """
        pieces: list[str] = []
        for name, value in data.items():
            pieces += ["," if pieces else "{", self._dumped(name), ":"]
            pieces += self._listed(value) if isinstance(value, ReadyList) else [self._dumped(value)]
        text = "".join([*pieces, "}"])
        if not text.isascii():
            # As DRF does: in JavaScript before 2019 these two characters end a line.
            text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        return text.encode()

    def _listed(self, value: ReadyList[Any]) -> Iterator[str]:
        """The pieces of a list; neighbouring objects are dumped at once."""
        before = "["
        for ready, run in itertools.groupby(value.parts, key=_is_ready):
            if ready:
                for part in run:
                    yield from (before, part.text)
                    before = ","
            else:
                yield from (before, self._dumped(list(run))[1:-1])
                before = ","
        yield "[]" if before == "[" else "]"

    def _dumped(self, value: Any) -> str:
        kind: Any = self.encoder_class  # mypy takes a class for unhashable
        return _encoder(kind).encode(value)


@functools.cache
def _encoder(encoder_class: Any) -> json.JSONEncoder:
    """Return the one encoder for all bodies; making it takes longer than writing a small body."""
    made: json.JSONEncoder = encoder_class(
        ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return made


def _is_ready(part: Any) -> bool:
    return isinstance(part, ReadyText)


def parsed(data: Json) -> Json:
    """A body in which each ``ReadyList`` is a list of parsed items."""
    return {name: list(v) if isinstance(v, ReadyList) else v for name, v in data.items()}


class ProblemRenderer(SyncRenderer):
    """JSON under the media type of problems."""

    media_type = "application/problem+json"
