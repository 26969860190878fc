"""Push under Celery, with real brokers, workers and beats.

Each broker that is not here is skipped. Redis is one of our own, so that it can be stopped.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from django_sync.models import Endpoint
from django_sync.testing.receiver import Received, receiver
from example_project.boards.models import Card
from tests import celery_processes as cp
from tests.integration.test_push import asleep
from tests.processes import until

SECRET = "sixteen letters and more"
SETTINGS: dict[str, Any] = {
    "PUSH_SENDERS": {"webhook": "django_sync.push.webhook.Webhook"},
    "PUSH_ALLOW_PRIVATE": True,
    "PUSH_WINDOW": 1,
    "PUSH_TIMEOUT": 2,
    "PUSH_LEASE": 4,
    "PUSH_THREADS": 2,
    "PUSH_RETRY_SECONDS": 1,
}


@pytest.fixture
def sink():
    with receiver() as service:
        yield service


@pytest.fixture
def sessions(boards, settings, sink):
    """Eight of Ada's, asleep, each with an endpoint at the sink."""
    settings.DJANGO_SYNC = SETTINGS
    target = {"kind": "webhook", "url": sink.url("/hook"), "secret": SECRET}
    return [asleep(boards.ada, push=target) for _ in range(8)]


def counted(sink: Any) -> Counter[str]:
    return Counter(json.loads(request.body)["session"] for request in sink.received)


def one_each(sink: Any, sessions: Any) -> bool:
    """Whether everybody was told, and nothing is left to be done."""
    told = set(counted(sink))
    return (
        told == {str(s.id) for s in sessions} and not Endpoint.objects.exclude(due_at=None).exists()
    )


@pytest.fixture
def redis(tmp_path):
    if not cp.Redis.is_here():
        pytest.skip("there is no redis-server here")
    broker = cp.Redis(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def run(tmp_path):
    """Two workers and two beats at a broker."""
    contexts = []

    def start(broker: str) -> tuple[cp.Celery, list[Any]]:
        context = cp.celery(tmp_path, broker, connection.settings_dict["NAME"], SETTINGS)
        celery = context.__enter__()
        contexts.append(context)
        workers = [celery.worker() for _ in range(2)]
        for _ in range(2):
            celery.beat()
        return celery, workers

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


def wakes_each_once(celery: Any, sink: Any, sessions: Any, board: Any) -> None:
    sink.received.clear()
    for number in range(5):
        Card.objects.create(board=board, title=str(number))
    try:
        until(lambda: one_each(sink, sessions), "each session was woken")
    except AssertionError:
        raise AssertionError(f"{counted(sink)}\n{celery.logs()}") from None
    assert set(counted(sink).values()) == {1}


@pytest.mark.slow
def test_redis_that_goes_away_and_a_worker_that_is_killed(redis, run, sink, sessions, boards):
    celery, workers = run(redis.url)
    wakes_each_once(celery, sink, sessions, boards.launch)

    redis.stop()
    sink.received.clear()
    for number in range(5):
        Card.objects.create(board=boards.launch, title=f"Nobody hears of {number}")
    redis.start()
    until(lambda: one_each(sink, sessions), "what was written meanwhile was told")
    assert set(counted(sink).values()) == {1}

    sink.received.clear()
    taken, go = threading.Event(), threading.Event()

    def hold(request: Received) -> None:
        """The service has it, and the worker is not told so."""
        taken.set()
        go.wait(30)

    sink.judge = hold
    Card.objects.create(board=boards.launch, title="In the middle")
    assert taken.wait(30)
    for worker in workers:
        celery.kill(worker)
    in_flight = len(sink.received)
    sink.judge = None
    go.set()
    celery.worker()
    until(lambda: one_each(sink, sessions), "what the dead had claimed was sent by another")
    doubled = sum(counted(sink).values()) - len(sessions)
    assert 0 < doubled <= in_flight <= 2 * SETTINGS["PUSH_THREADS"], "what was in flight, no more"


def test_rabbitmq(run, sink, sessions, boards):
    if not cp.answers(5672):
        pytest.skip("no RabbitMQ answers at 127.0.0.1:5672")
    celery, _ = run(cp.RABBITMQ)
    wakes_each_once(celery, sink, sessions, boards.launch)


def test_the_command_goes_on_until_it_is_told_to_end(tmp_path, sink, sessions, boards):
    """No Celery and no broker: one process beside the site."""
    with cp.celery(tmp_path, "memory://", connection.settings_dict["NAME"], SETTINGS) as runner:
        command = runner.command("sync_push", "--interval", "0.1")
        for number in range(2):
            sink.received.clear()
            Card.objects.create(board=boards.launch, title=str(number))
            until(lambda: one_each(sink, sessions), "each session was woken")
            assert set(counted(sink).values()) == {1}
        command.terminate()
        assert command.wait(30) == 0, runner.logs()


def test_without_a_broker_it_runs_in_the_process(sink, sessions, boards):
    """As on a fresh machine: tasks run at once, where they are called."""
    from celery import Celery

    from django_sync.push.tasks import tick

    app = Celery("in memory", broker="memory://", set_as_current=True)
    app.conf.task_always_eager = True
    Card.objects.create(board=boards.launch, title="At once")
    tick.delay()
    Endpoint.objects.update(due_at="2020-01-01T00:00:00Z")
    tick.delay()
    assert one_each(sink, sessions)
    assert set(counted(sink).values()) == {1}
