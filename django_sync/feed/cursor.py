"""Seal and open a cursor: a client's place in the feed, which only we can read.

Pure: keys and user come in as values. A sealed cursor is encrypted and authenticated with a
synthetic nonce, as in RFC 5297 (SIV): the nonce is an HMAC of user and content, and the keystream
is made from it. So a client learns nothing from a cursor (a position would show how much others
write) and cannot alter it. It opens for its own user alone, and the same place is always the same
string.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from ..errors import InvalidCursor

MAX_LENGTH = 2048
NONCE = 16
KEPT = 2048
"""Open cursors that a process keeps: a polling client sends the same one until there is news."""
FORMAT = 2

Pair = tuple[str, str]
"""A collection's name and one scope of it."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the feed.

    ``position`` and ``mark`` name the entry at this place. ``done`` is the digest of the
    visibility that the replica holds, ``goal`` of the visibility that it is moving to; both are
    equal while it is tailing. In between, pairs of the goal that are not in ``done`` are fetched
    in order: those up to ``after`` are complete, ``resume`` is under way with the last id sent,
    ``skip`` was finished out of order. ``sent`` and ``total`` are the snapshot's progress in
    records.
    ``noted`` is the day (its ordinal) on which the server last noted that these visibilities are
    in use, ``held`` the minute at which it held this place, 0 where nothing is left to fetch.
    """

    epoch: str
    position: int
    mark: int
    done: str
    goal: str
    after: Pair | None = None
    resume: tuple[str, str, str] | None = None
    skip: Pair | None = None
    sent: int = 0
    total: int = 0
    noted: int = 0
    held: int = 0

    @property
    def place(self) -> tuple[str, int, int]:
        """Epoch, position and mark: the entry of the feed up to which everything is known."""
        return self.epoch, self.position, self.mark

    @property
    def is_tailing(self) -> bool:
        """Whether the snapshot is complete, so that only what is new is missing."""
        return self.done == self.goal


_members = attrgetter(*(field.name for field in fields(Cursor)))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _keystream(key: bytes, nonce: bytes, length: int) -> bytes:
    blocks = (length + 31) // 32
    stream = b"".join(
        hmac.digest(key, nonce + block.to_bytes(4, "big"), "sha256") for block in range(blocks)
    )
    return stream[:length]


@functools.lru_cache(maxsize=16)
def _derive(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"django_sync.cursor." + purpose, "sha256")


def _nonce(secret: str, user: str, plaintext: bytes) -> bytes:
    bound = hashlib.sha256(user.encode()).digest() + plaintext
    return hmac.digest(_derive(secret, b"mac"), bound, "sha256")[:NONCE]


def _xor(secret: str, nonce: bytes, text: bytes) -> bytes:
    stream = _keystream(_derive(secret, b"key"), nonce, len(text))
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")


def seal(cursor: Cursor, *, user: str, secret: str) -> str:
    """Return the string that stands for ``cursor``, bound to ``user`` (any stable text)."""
    content = json.dumps([FORMAT, *_members(cursor)], separators=(",", ":"))
    plaintext = zlib.compress(content.encode(), 9)
    nonce = _nonce(secret, user, plaintext)
    return _text(nonce + _xor(secret, nonce, plaintext))


def open_sealed(text: str, *, user: str, secrets: Sequence[str]) -> Cursor:
    """Return the cursor that ``text`` stands for; raise ``InvalidCursor`` if it is not ours.

    Only the string that ``seal`` makes is ours, not another spelling of the same bytes.
    ``secrets`` are tried one after another, the newest first, so that keys can be rotated.
    """
    return _opened(text, user, tuple(secrets))


@functools.lru_cache(maxsize=KEPT)
def _opened(text: str, user: str, secrets: tuple[str, ...]) -> Cursor:
    if len(text) > MAX_LENGTH:
        raise InvalidCursor
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise InvalidCursor from None
    if _text(raw) != text:
        raise InvalidCursor
    nonce, sealed = raw[:NONCE], raw[NONCE:]
    for secret in secrets:
        plaintext = _xor(secret, nonce, sealed)
        if hmac.compare_digest(_nonce(secret, user, plaintext), nonce):
            return _read(plaintext)
    raise InvalidCursor


def _read(plaintext: bytes) -> Cursor:
    """Decode what was authenticated; a format of another release is not understood."""
    version, *members = json.loads(zlib.decompress(plaintext))
    if version != FORMAT:
        raise InvalidCursor
    epoch, position, mark, done, goal, after, resume, skip, *numbers = members
    places = _pair(after), _place(resume), _pair(skip)
    return Cursor(epoch, position, mark, done, goal, *places, *numbers)


def _pair(value: Any) -> Pair | None:
    return None if value is None else (value[0], value[1])


def _place(value: Any) -> tuple[str, str, str] | None:
    return None if value is None else (value[0], value[1], value[2])
