"""What a client sends over a socket is a frame or an error of ours, whatever it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import settings as how

from django_sync.errors import SyncError
from django_sync.realtime.frames import Mutate, read, size
from django_sync.realtime.throttle import Pace
from tests.integration.test_hostile_sockets import FRAMES, VALID

MUTATE = next(frame for frame in VALID if frame["type"] == "mutate")


@how(deadline=None, max_examples=150)
@given(FRAMES)
def test_any_text_is_a_frame_or_an_error_that_can_be_told(texts):
    for text in texts:
        try:
            frame = read(text if isinstance(text, str) else None, 4000)
        except SyncError as error:
            json.dumps(error.problem(), ensure_ascii=False).encode("utf-8")
        else:
            json.dumps(frame.ref if isinstance(frame, Mutate) else None)


@pytest.mark.parametrize(("text", "bytes_"), [(None, 0), ("a", 1), ("ж", 2), ("\ud800", 3)])
def test_a_size_is_in_bytes(text, bytes_):
    assert size(text) == bytes_


def test_each_waits_as_long_as_what_they_sent_before_was():
    now = [0.0]
    pace = Pace(10, lambda: now[0])
    waits = [pace.seconds(who, size, 5) for who, size in (("a", 50), ("a", 10), ("b", 10))]
    assert waits == [0, 5, 0]
    assert pace.seconds("a", 10, 5) is None, "it would be 6, and is not counted"
    now[0] = 5.5
    assert pace.seconds("a", 10, 5) == 0.5
    now[0] = 60
    assert pace.seconds("c", 10, 5) == 0
    assert list(pace._free_at) == ["c"], "what is over is forgotten"
