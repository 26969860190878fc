"""Real processes for tests: they run functions, serve the example, stop where told, and are killed.

All are forked from one process that has Django and the example loaded and no connection open, so
that one is there in a few milliseconds. Each works on the database of the test that starts it.

Nothing here waits for time to pass: a test waits for a message, or for a condition that it looks
at, and fails where that does not come before a deadline which a busy machine keeps easily.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import os
import queue
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import django
from django.apps import apps

if not apps.ready:  # In the process that the others are forked from, once for all of them.
    django.setup()
    import uvicorn.protocols.http.auto  # noqa: F401

    import example_project.asgi
    import example_project.urls  # noqa: F401

from django.db import connection, connections, transaction
from django.db.backends.signals import connection_created

from django_sync import engine
from django_sync.feed import log as feed_log
from django_sync.feed import tables
from django_sync.models import Client as SyncClient
from django_sync.realtime import shared_pulls
from django_sync.sessions import lifecycle
from django_sync.writes import apply, batch, result_store

DEADLINE = 60.0
"""Seconds after which what a test waits for is taken as never coming."""

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", __name__])


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"it never came to this: {what}"
        time.sleep(0.002)


# ── In a process ─────────────────────────────────────────────────────────────────────────────────


class Here:
    """A process's side of the pipe to its test. Without the test it ends."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._telling = threading.Lock()
        self.calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.may_go = threading.Semaphore(0)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                word, *call = self._pipe.recv()
            except (EOFError, OSError):
                os._exit(1)
            except Exception as error:  # noqa: BLE001  # whatever unpickling raises
                self.tell("raised", RuntimeError(f"no call that can be read: {error!r}"))
                continue
            if word == "go":
                self.may_go.release()
            else:
                self.calls.put(call)

    def tell(self, *message: object) -> None:
        with self._telling:
            self._pipe.send(message)

    def stop(self, point: str) -> None:
        """Tell the test that this point is reached, and wait there."""
        self.tell("at", point)
        self.may_go.acquire()


HERE: Here
"""Set in each process that a test started."""

POINTS: dict[str, tuple[Any, str, bool]] = {
    "received": (engine, "mutate", False),
    "claimed": (result_store.Ledger, "open", True),
    "written": (apply.Writer, "carry_out", True),
    "uncommitted": (result_store.Ledger, "close", True),
    "refused": (batch.Run, "_refuse_all", False),
    "committed": (batch.Run, "results", True),
    "pulled": (engine, "pull", True),
    "diverged": (feed_log, "diverged", False),
    "shared": (shared_pulls, "answers", True),
    "ticket found": (lifecycle, "_of_ticket", True),
}
"""Places to stop at: whose function, its name, and whether behind or before it."""

STATEMENTS = {
    "locked": f"FROM {tables.FEED} WHERE id = 1 FOR UPDATE",
    "moved": f"UPDATE {tables.FEED} SET head",
    "run begun": "FROM sqlite_master" if connection.vendor == "sqlite" else "FROM pg_trigger",
    "run written": 'INSERT INTO "boards_card" (',
    "results written": 'INSERT INTO "django_sync_mutationresult"',
}
"""Places behind a statement of SQL, by a part of it."""


def stop_at(point: str, nth: int = 1) -> None:
    """Stop when this process comes to a point for the ``nth`` time from now on."""
    passed = itertools.count(1)
    if point in STATEMENTS:
        _watch_statements(point, STATEMENTS[point], passed, nth)
        return
    owner, name, behind = POINTS[point]
    original = getattr(owner, name)

    @functools.wraps(original)
    def stopping(*args: Any, **kwargs: Any) -> Any:
        here = next(passed) == nth
        if here and not behind:
            HERE.stop(point)
        result = original(*args, **kwargs)
        if here and behind:
            HERE.stop(point)
        return result

    setattr(owner, name, stopping)


def _watch_statements(point: str, part: str, passed: Iterator[int], nth: int) -> None:
    def stopping(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if part in str(sql) and next(passed) == nth:
            HERE.stop(point)
        return result

    def watch(connection: Any, **kwargs: Any) -> None:
        if stopping not in connection.execute_wrappers:
            connection.execute_wrappers.append(stopping)

    connection_created.connect(watch, weak=False)
    watch(connections["default"])


_transaction: list[Any] = []


def begin() -> None:
    """Open a transaction of this process. On SQLite it holds the lock from here on."""
    _transaction.append(transaction.atomic())
    _transaction[-1].__enter__()


def commit() -> None:
    _transaction.pop().__exit__(None, None, None)


def _begin_process(pipe: Connection, database: str, main: Callable[..., None], *args: Any) -> None:
    global HERE  # noqa: PLW0603  # one for the whole process, whichever thread comes to a stop
    connections["default"].settings_dict["NAME"] = database
    connections.settings["default"]["NAME"] = database
    HERE = Here(pipe)
    main(*args)


def work() -> None:
    """Run what the test asks for, one call after the other."""
    while True:
        function, args = HERE.calls.get()
        try:
            result = function(*args)
        except Exception as error:  # noqa: BLE001  # the test is to see it
            error.add_note(traceback.format_exc())
            HERE.tell("raised", error)
        else:
            HERE.tell("returned", result)


def serve(listener: socket.socket, settings: dict[str, Any], *stop: Any) -> None:
    """Serve the example under uvicorn, as ``make demo`` does."""
    import uvicorn
    from django.conf import settings as django_settings

    from example_project.asgi import application

    django_settings.DJANGO_SYNC = settings
    if stop:
        stop_at(*stop)
    config = uvicorn.Config(
        application, lifespan="off", log_level="warning", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listener])


# ── In the test ──────────────────────────────────────────────────────────────────────────────────


class Process:
    """A process, as the test that started it sees it."""

    def __init__(self, main: Callable[..., None], *args: Any) -> None:
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(
            target=_begin_process,
            args=(theirs, connection.settings_dict["NAME"], main, *args),
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def start(self, function: Callable[..., Any], *args: Any) -> None:
        """Have it run a function, and go on here."""
        self._pipe.send(("call", function, args))

    def result(self) -> Any:
        """What the function that was started returned, or raise what it raised."""
        word, told = self._hear()
        if word == "raised":
            raise told
        assert word == "returned", f"the process stopped, {word} {told}"
        return told

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        self.start(function, *args)
        return self.result()

    def reaches(self, point: str) -> None:
        """Wait until it has stopped at a point."""
        told = self._hear()
        if told[0] == "raised":
            raise told[1]
        assert told == ("at", point)

    def go(self) -> None:
        """Let it go on."""
        self._pipe.send(("go",))

    def is_busy(self) -> bool:
        """Whether nothing has been heard of it since."""
        return not self._pipe.poll()

    def kill(self) -> None:
        """``kill -9``, and see that it is dead."""
        self._process.kill()
        self._process.join(DEADLINE)
        assert self._process.exitcode is not None
        self._pipe.close()

    def terminate(self) -> None:
        """``kill -15``: it may take its time to end."""
        self._process.terminate()

    def _hear(self) -> Any:
        assert self._pipe.poll(DEADLINE), "nothing was heard of a process"
        return self._pipe.recv()


class Processes:
    """Those of one test; none outlives it."""

    def __init__(self) -> None:
        self._started: list[Process] = []
        self._listener: socket.socket | None = None

    def worker(self, *stop: Any) -> Process:
        """A process that runs functions; it may be told where to stop."""
        process = self.start(work)
        if stop:
            process.call(stop_at, *stop)
        return process

    def workers(self, count: int) -> list[Process]:
        return [self.worker() for _ in range(count)]

    def server(self, *stop: Any, **settings: Any) -> Process:
        """A server at ``url``; the next one takes its place there."""
        return self.start(serve, self.listener, settings, *stop)

    def start(self, *args: Any) -> Process:
        self._started.append(Process(*args))
        return self._started[-1]

    @property
    def listener(self) -> socket.socket:
        """The socket is the test's, so it stays when a server dies; calls wait for the next."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        return self._listener

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/sync/"

    def end(self) -> None:
        for process in self._started:
            if not process._pipe.closed:
                process.kill()
        if self._listener is not None:
            self._listener.close()
        until(lambda: not backends(), "the database has noticed that the processes are gone")


def backends(condition: str = "true") -> int:
    """How many other connections PostgreSQL has to this database; none elsewhere."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            f" AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND {condition}"
        )
        (count,) = cursor.fetchone()
    return int(count)


def wait_for_waiters(count: int) -> None:
    """Wait until so many processes wait for locks of others.

    SQLite does not tell. It has one lock, and it makes no difference there whether somebody waits
    for it already or is about to.
    """
    if connection.vendor == "postgresql":
        until(
            lambda: backends("wait_event_type = 'Lock'") >= count,
            f"{count} processes wait for a lock",
        )


@contextmanager
def gate() -> Iterator[None]:
    """While it is shut no mutation gets past its first statement."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {SyncClient._meta.db_table} IN EXCLUSIVE MODE")
        yield


KEPT = frozenset({"django_content_type", "auth_permission", "django_migrations"})


def empty_database() -> None:
    """Delete all rows in one transaction: quicker by far than the flush of a ``TestCase``.

    Foreign keys are deferred, so the order is free, but for sync's own tables, into which the
    triggers of the others write.
    """
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(tables, key=lambda name: name.startswith("django_sync_")):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
