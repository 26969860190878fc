"""The page about push: its settings are taken, its receiver knows a forgery, its sender works."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from django_sync import errors
from django_sync.checks import check_push, check_settings
from django_sync.protocol.signing import sign
from django_sync.push.sender import Outcome
from django_sync.testing.receiver import Reply, receiver
from django_sync.testing.senders import WAKE
from tests.tools.pages import ROOT

from .howto import run, snippets

FOUND = snippets("push")
SETTINGS, BEAT, RECEIVER, SENDER = (block for block in FOUND if block.info == "python")


def test_its_settings_are_accepted_once_the_key_is_there(settings, monkeypatch):
    monkeypatch.setenv("PUSH_VAPID_KEY", "3ehMbJb1mQ3wmK3eNMQZ0kjCkYUfxHNTNsBIv8gB1pA")
    settings.DJANGO_SYNC = run(SETTINGS)["DJANGO_SYNC"]
    assert check_push() == check_settings() == []
    monkeypatch.delenv("PUSH_VAPID_KEY")
    settings.DJANGO_SYNC = run(SETTINGS)["DJANGO_SYNC"]
    assert [told.id for told in check_push()] == ["django_sync.E021"]


def test_the_beat_calls_a_task_that_is_there():
    from django_sync.push import tasks

    told = run(BEAT)
    assert told["CELERY_IMPORTS"] == [tasks.__name__]
    assert told["CELERY_BEAT_SCHEDULE"]["sync-push"]["task"] == tasks.tick.name


def test_its_receiver_knows_a_forgery():
    is_ours: Any = run(RECEIVER)["is_ours"]
    now, secret = int(time.time()), "sixteen letters or more"
    headers = {"Sync-Timestamp": str(now), "Sync-Signature": sign(secret, now, WAKE.body)}
    assert is_ours(SimpleNamespace(body=WAKE.body, headers=headers), secret)
    assert not is_ours(SimpleNamespace(body=WAKE.body + b" ", headers=headers), secret)
    assert not is_ours(SimpleNamespace(body=WAKE.body, headers={}), secret)


def test_its_sender_sends():
    told = run(SENDER)
    pigeons: Any = told["Pigeons"]("pigeon")
    with receiver() as loft:
        pigeons.send.__globals__["PIGEON_POST"] = loft.url()
        assert pigeons.send({"loft": "a"}, WAKE).outcome is Outcome.SENT
        loft.replies.append(Reply(503))
        assert pigeons.send({"loft": "a"}, WAKE).outcome is Outcome.RETRY
    assert [one.body for one in loft.received] == [WAKE.body] * 2
    assert pigeons.send({"loft": "a"}, WAKE).outcome is Outcome.RETRY, "nobody is at home"
    assert pigeons.check({"loft": "a"})
    with pytest.raises(errors.Invalid):
        pigeons.check({})


def test_all_else_works_without_the_extra():
    """Neither Celery nor what senders need: the application loads, checks and answers."""
    packages = ("celery", "kombu", "http_ece", "py_vapid", "cryptography", "httpcore2")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({packages!r}))\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "from django.contrib import admin; admin.autodiscover()\n"
        "call_command('check')\n"
        "from rest_framework.test import APIClient\n"
        "answer = APIClient().get('/sync/', headers={'host': 'localhost'})\n"
        "assert answer.status_code == 401, answer\n"
        "from django_sync.push import delivery, dispatcher\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "example_project.settings", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
