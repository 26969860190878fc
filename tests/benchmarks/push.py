"""Wake-ups for ten thousand sleeping sessions after fifty writes in a second, under Celery.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.push [--stop-broker 10] [--kill-worker]

Each endpoint's user sees one of ``--writes`` boards; another process writes a card to each board
within a second. Two workers and a beat, with a Redis of their own, send webhooks (or Web Push,
``--kind webpush``) to a sink in this process, which counts them. ``--stop-broker`` has the broker
away before the writes and for so many seconds after them, or, with ``--in-the-middle``, for so many
seconds once a third was told; ``--broker rabbitmq`` takes the machine's own, which it stops then.
``--kill-worker`` ends one worker by ``kill -9`` in the middle, and starts another. Prints how many
were lost and doubled, the time from the writes to the last, and each worker's memory. Figures are
this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import celery_processes as cp
from tests.benchmarks.first_pull import MIGRATE, cpu, database, environment, memory, run

KEY = "3ehMbJb1mQ3wmK3eNMQZ0kjCkYUfxHNTNsBIv8gB1pA"
SETUP = """
import uuid, django; django.setup()
from django.contrib.auth.models import User
from django.utils import timezone
from django_sync.push import endpoints
from django_sync.models import Client, Endpoint, PushScope, PushUser, SyncSession
from example_project.boards.models import Board, Membership
now, number, boards = timezone.now(), {endpoints}, {writes}
User.objects.bulk_create((User(username=f"u{{n}}") for n in range(number)), batch_size=1000)
users = list(User.objects.filter(username__startswith="u").order_by("pk")[:number])
made = [Board.objects.create(name=f"Board {{n}}", owner=users[n]) for n in range(boards)]
seen = [str(board.sync_id) for board in made]
Membership.objects.bulk_create(
    (Membership(board=made[n % boards], user=u, role="editor") for n, u in enumerate(users)),
    batch_size=1000)
PushUser.objects.bulk_create((PushUser(user=u, looked_at=now) for u in users), batch_size=1000)
PushScope.objects.bulk_create(
    (PushScope(user_id=u.pk, scope=seen[n % boards], collections="boards,cards,comments,labels")
     for n, u in enumerate(users)), batch_size=1000)
clients = Client.objects.bulk_create(
    (Client(id=uuid.uuid4(), user=u) for u in users), batch_size=1000)
sessions = SyncSession.objects.bulk_create(
    (SyncSession(id=uuid.uuid4(), user=c.user, client=c, transport="poll", foreground=False,
                 opened_at=now, seen_at=now) for c in clients), batch_size=1000)
target = {target!r}
def to(session):
    if "url" in target:
        return target | dict(url=target["url"] + str(session.id))
    told = target["subscription"]
    return dict(subscription=told | dict(endpoint=told["endpoint"] + str(session.id)))
Endpoint.objects.bulk_create(
    (Endpoint(session=s, user_id=s.user_id, kind="{kind}", target=to(s), host="sink",
              created_at=now) for s in sessions), batch_size=1000)
endpoints.start_cursor()
"""
WRITE = """
import time, django; django.setup()
from example_project.boards.models import Board, Card
boards = list(Board.objects.filter(name__startswith="Board "))
began = time.monotonic()
for number, board in enumerate(boards):
    Card.objects.create(board=board, title=str(number))
    time.sleep(max(0, began + (number + 1) / len(boards) - time.monotonic()))
print(round(time.monotonic() - began, 2))
"""
LEFT = """
import django; django.setup()
from django_sync.models import Endpoint
endpoints = Endpoint.objects
print(endpoints.exclude(due_at=None).count(), endpoints.exclude(parked_at=None).count())
"""


class Sink:
    """Counts requests by the last part of their path, which is the session."""

    def __init__(self) -> None:
        self.told: Counter[str] = Counter()
        self.first = self.last = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode("latin-1").split("\r\n")
                named = dict(h.lower().split(": ", 1) for h in headers if ": " in h)
                await reader.readexactly(int(named["content-length"]))
                self.told[line.split()[1].rsplit("/", 1)[1]] += 1
                self.last = time.monotonic()
                self.first = self.first or self.last
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the worker closed it, or the bench is over
        finally:
            writer.close()


def worker_child(pid: int) -> int:
    """The process that a worker forked to do the work."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


async def sampled(workers: list[Any], samples: list[Any], sink: Sink, began: float) -> None:
    """Memory of each worker's child, and how many were told, every two seconds."""
    while True:
        mib: list[float | None] = []
        for worker in workers:
            try:
                mib.append(round(memory(worker_child(worker.pid))[0], 1))
            except (OSError, KeyError):
                mib.append(None)
        samples.append(
            {"s": round(time.monotonic() - began), "told": sum(sink.told.values()), "mib": mib}
        )
        await asyncio.sleep(2)


def settings_of(asked: argparse.Namespace) -> dict[str, Any]:
    kinds = {"webhook": "webhook.Webhook", "webpush": "webpush.WebPush"}
    return {
        "PUSH_SENDERS": {kind: f"django_sync.push.{path}" for kind, path in kinds.items()},
        "PUSH_ALLOW_PRIVATE": True,
        "PUSH_VAPID_KEY": KEY,
        "PUSH_VAPID_SUBJECT": "mailto:bench@example.org",
        **({"PUSH_LEASE": 20, "PUSH_TIMEOUT": 5} if asked.kill_worker else {}),
    }


def target_of(asked: argparse.Namespace, port: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/"
    if asked.kind == "webhook":
        return {"url": url, "secret": "sixteen letters and more"}
    from tests.integration.push_service import Browser

    return {"subscription": Browser().subscription(url)}


async def quiet(asked: argparse.Namespace, sink: Sink, most: float) -> None:
    """Wait until everybody was told and nothing more came for a few seconds, or for long."""
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        done = len(sink.told) >= asked.endpoints
        if done and time.monotonic() - sink.last > 6:
            return
        await asyncio.sleep(0.2)


async def stage(asked: argparse.Namespace, folder: Path, env: dict[str, str]) -> dict[str, Any]:
    sink = Sink()
    server = await asyncio.start_server(sink.serve, "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    target = target_of(asked, port)
    setup = SETUP.format(
        endpoints=asked.endpoints, writes=asked.writes, kind=asked.kind, target=target
    )
    await asyncio.to_thread(run, setup, env)
    broker = cp.RabbitMQ() if asked.broker == "rabbitmq" else cp.Redis(folder)
    await asyncio.to_thread(broker.start)
    url = urlsplit(env["DATABASE_URL"])
    name = url.path.removeprefix("/")
    os.environ["DATABASE_URL"] = env["DATABASE_URL"]
    try:
        with cp.celery(folder, broker.url, name, settings_of(asked)) as celery:
            workers = [celery.worker("prefork") for _ in range(2)]
            celery.beat()
            await asyncio.sleep(10)
            began, samples = time.monotonic(), list[Any]()
            sampling = asyncio.create_task(sampled(workers, samples, sink, began))
            if asked.stop_broker and not asked.in_the_middle:
                await asyncio.to_thread(broker.stop)
            wrote = (await asyncio.to_thread(run, WRITE, env)).strip()
            written = time.monotonic()
            if asked.in_the_middle or asked.kill_worker:
                while sum(sink.told.values()) < asked.endpoints * 0.3:
                    await asyncio.sleep(0.01)
            if asked.stop_broker and asked.in_the_middle:
                await asyncio.to_thread(broker.stop)
            if asked.stop_broker:
                await asyncio.sleep(asked.stop_broker)
                await asyncio.to_thread(broker.start)
            if asked.kill_worker:
                celery.kill(workers[0])
                workers.append(celery.worker("prefork"))
            await quiet(asked, sink, 180)
            spent = [round(cpu(worker_child(w.pid)), 1) for w in workers if w.poll() is None]
            sampling.cancel()
            due, parked = (await asyncio.to_thread(run, LEFT, env)).split()
            errors = [line for line in celery.logs().splitlines() if "Traceback" in line]
    finally:
        if isinstance(broker, cp.Redis):
            broker.stop()
        server.close()
    seconds = sink.last - sink.first
    return {
        "endpoints": asked.endpoints,
        "writes": asked.writes,
        "wrote_in_s": float(wrote),
        "told": len(sink.told),
        "lost": asked.endpoints - len(sink.told),
        "doubled": sum(sink.told.values()) - len(sink.told),
        "left_due": int(due),
        "parked": int(parked),
        "first_after_writes_s": round(sink.first - written, 2),
        "last_after_writes_s": round(sink.last - written, 2),
        "per_second": round(sum(sink.told.values()) / seconds) if seconds else None,
        "workers_cpu_s": spent,
        "tracebacks_in_logs": len(errors),
        "samples": samples,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoints", type=int, default=10_000)
    parser.add_argument("--writes", type=int, default=50)
    parser.add_argument("--kind", choices=["webhook", "webpush"], default="webhook")
    parser.add_argument("--stop-broker", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--in-the-middle", action="store_true")
    parser.add_argument("--broker", choices=["redis", "rabbitmq"], default="redis")
    parser.add_argument("--kill-worker", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        with database(env):
            run(MIGRATE, env)
            told = asyncio.run(stage(asked, Path(name), env))
    samples = told.pop("samples")
    print(json.dumps(told, indent=2))
    for sample in samples:
        print(json.dumps(sample))


if __name__ == "__main__":
    main()
