"""The suite that every sender of wake-ups has to pass, for pytest; yours too.

    class TestPigeons(SenderContract):
        malformed = ({}, {"loft": 3})

        @pytest.fixture(autouse=True)
        def service(self, loft):
            self.loft = loft

        def sender(self):
            return Pigeons("pigeon")

        def target(self):
            return {"loft": self.loft.address}

        def messages(self):
            return [pigeon.letter for pigeon in self.loft.arrived]

        def answer(self, status, headers):
            self.loft.answers(status, headers)

A sender whose service cannot refuse sets ``can_fail = False``. For one over HTTP,
``django_sync.testing.receiver`` is a service with answers of your choice.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any, ClassVar

import pytest

from .. import errors
from ..conf import conf
from ..protocol import Json
from ..push.sender import Outcome, Receipt, Sender, Wake

__all__ = ["SenderContract"]

SESSION = uuid.UUID("01920000-0000-7000-8000-000000000000")
WAKE = Wake(SESSION, ("boards", "cards"))
MESSAGE = {"type": "sync", "session": str(SESSION), "collections": ["boards", "cards"]}


class SenderContract:
    """Inherit it, and say how a sender is made, whom it sends to and what arrived there."""

    can_fail: ClassVar[bool] = True
    malformed: ClassVar[Sequence[Json]] = ()
    """Targets that are none."""

    def sender(self) -> Sender:
        """One that is ready to send."""
        raise NotImplementedError

    def target(self) -> Json:
        """Where the service of this test is, as a client would name it."""
        raise NotImplementedError

    def messages(self) -> Sequence[bytes]:
        """What arrived, readable."""
        raise NotImplementedError

    def answer(self, status: int, headers: Mapping[str, str]) -> None:
        """Have the next attempt answered so."""
        raise NotImplementedError

    def send(self, wake: Wake = WAKE) -> Receipt:
        return self.sender().send(self.target(), wake)

    def test_its_target_is_one(self) -> None:
        """And it says something that staff may see, which holds no secret."""
        shown = self.sender().check(self.target())
        assert shown
        assert len(shown) <= 255
        secrets = [text for text in _texts(self.target()) if len(text) > len(shown)]
        assert not [secret for secret in secrets if secret in shown]

    def test_what_is_no_target_is_invalid(self) -> None:
        """Before anything is kept."""
        for target in self.malformed:
            with pytest.raises(errors.Invalid):
                self.sender().check(target)

    def test_the_message_arrives_and_nothing_else(self) -> None:
        """Which session is to pull which collections; no data."""
        receipt = self.send()
        assert receipt.outcome is Outcome.SENT
        assert [json.loads(body) for body in self.messages()] == [MESSAGE]

    def test_names_in_any_letters(self) -> None:
        """And of any number."""
        names = ("каты", "カード", *(f"c{number}" for number in range(60)))
        assert self.send(Wake(SESSION, names)).outcome is Outcome.SENT
        (body,) = self.messages()
        assert json.loads(body)["collections"] == list(names)

    def test_more_names_than_its_service_takes(self) -> None:
        """All are named, or none, which says all to whoever is woken; some would be too few."""
        names = tuple(f"{number:03d}{'x' * 60}" for number in range(100))
        assert self.send(Wake(SESSION, names)).outcome is Outcome.SENT
        (body,) = self.messages()
        assert json.loads(body) in (MESSAGE | {"collections": c} for c in ([*names], []))

    def test_the_same_again_is_sent_again(self) -> None:
        """It keeps no books: that is the dispatcher's."""
        for _ in range(3):
            assert self.send().outcome is Outcome.SENT
        assert len(self.messages()) == 3

    def test_several_at_a_time(self) -> None:
        """Workers send from several threads."""
        sender, target = self.sender(), self.target()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            receipts = list(pool.map(lambda _: sender.send(target, WAKE), range(24)))
        assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
        assert [json.loads(body) for body in self.messages()] == [MESSAGE] * 24

    def test_what_is_gone(self) -> None:
        """It is dropped for good, so nothing else may be taken for it."""
        self.receipt_for(404, Outcome.GONE)
        self.receipt_for(410, Outcome.GONE)

    def test_what_is_tried_again(self) -> None:
        """Too many requests, and errors of the service."""
        for status in (429, 500, 502, 503, 504):
            self.receipt_for(status, Outcome.RETRY)

    def test_how_long_it_is_to_be_left_alone(self) -> None:
        """``Retry-After``, as seconds or as a date."""
        assert self.receipt_for(429, Outcome.RETRY, {"Retry-After": "120"}).retry_after == 120
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=90)
        date = format_datetime(later, usegmt=True)
        receipt = self.receipt_for(503, Outcome.RETRY, {"Retry-After": date})
        assert receipt.retry_after is not None
        assert 80 < receipt.retry_after <= 90
        for odd in ("soon", "-1", "1e9", "99999999999999999999", ""):
            receipt = self.receipt_for(503, Outcome.RETRY, {"Retry-After": odd})
            assert receipt.retry_after is None or receipt.retry_after >= 0

    def test_what_is_refused(self) -> None:
        """And a redirect is not followed."""
        for status in (400, 401, 403, 413):
            self.receipt_for(status, Outcome.REFUSED)
        elsewhere = {"Location": "http://127.0.0.1:9/"}
        for status in (301, 302, 307, 308):
            self.receipt_for(status, Outcome.REFUSED, elsewhere)

    def receipt_for(
        self, status: int, outcome: Outcome, headers: Mapping[str, str] | None = None
    ) -> Receipt:
        """The receipt for an answer of the service."""
        if not self.can_fail:
            pytest.skip("its service cannot refuse")
        self.answer(status, headers or {})
        began = time.monotonic()
        receipt = self.send()
        assert receipt.outcome is outcome, (status, receipt)
        assert receipt.status == status
        assert str(status) in receipt.problem
        assert time.monotonic() - began < conf.PUSH_TIMEOUT
        return receipt


def _texts(value: Any) -> list[str]:
    """All texts within a JSON value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in parts for text in _texts(one)]
