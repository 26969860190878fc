"""Whether this process can serve: for load balancers, which ask often and get short answers.

``ready()`` looks at most once a second, and waits for a database that does not answer for
``PATIENCE`` seconds at most, in a thread of its own that may hang. The reason why it is
not ready is logged once, until it changes.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from .. import capture
from ..conf import conf
from ..feed import log as feed_log
from ..models.database import connection

__all__ = ["Look", "Readiness", "ready"]

log = logging.getLogger("django_sync.health")

FRESH = 1.0
"""Seconds for which an answer is valid."""
WHOLE_FOR = 300.0
"""Seconds for which triggers are not checked again: a check takes hundreds of statements, and
triggers do not vanish by themselves."""
PATIENCE = 2.0
"""Seconds to wait for an answer, from the start of the check, for all who ask."""
HOPELESS = 30.0
"""Seconds after which a check that hangs is abandoned, and another one starts."""
APP = "django_sync"


class Readiness:
    """Answers from one ``look`` for all who ask; ``look`` returns the problem, or ``""``."""

    def __init__(
        self,
        look: Callable[[], str],
        patience: float = PATIENCE,
        fresh: float = FRESH,
        hopeless: float = HOPELESS,
    ) -> None:
        self._look = look
        self._patience = patience
        self._fresh = fresh
        self._hopeless = hopeless
        self._began = 0.0
        self._lock = threading.Lock()
        self._until = 0.0
        self._why = "not checked yet"
        self._under_way: threading.Event | None = None

    def ready(self) -> bool:
        """Whether all is well, as of a second ago; ``False`` if there is no answer in time."""
        with self._lock:
            if time.monotonic() < self._until:
                return not self._why
            now = time.monotonic()
            if self._under_way is None or now - self._began > self._hopeless:
                self._under_way, self._began = threading.Event(), now
                threading.Thread(
                    target=self._run,
                    args=(self._under_way,),
                    name="django_sync.health",
                    daemon=True,
                ).start()
            done, left = self._under_way, self._began + self._patience - now
        if done.wait(max(left, 0)):
            return not self._why
        self._report("the database did not answer in time")
        return False

    def _run(self, done: threading.Event) -> None:
        close_old_connections()
        try:
            why = self._look()
        except Exception as problem:  # noqa: BLE001  # whatever it is, this process cannot serve
            why = f"{type(problem).__name__}: {problem}"
        finally:
            close_old_connections()
        with self._lock:
            given_up = self._under_way is not done
        if given_up:
            return
        self._report(why)
        with self._lock:
            self._until = time.monotonic() + self._fresh
            self._under_way = None
        done.set()

    def _report(self, why: str) -> None:
        with self._lock:
            before, self._why = self._why, why
        if why and why != before:
            log.warning("not ready: %s", why)
        elif before and not why:
            log.info("ready")


class Look:
    """The problem that keeps this process from serving; ``""`` if there is none."""

    def __init__(self) -> None:
        self._whole_until = 0.0

    def __call__(self) -> str:
        if missing := _not_applied():
            return f"migrations are not applied: {', '.join(missing)}"
        feed_log.state()
        if time.monotonic() >= self._whole_until:
            if problems := capture.verify(conf.DATABASE):
                problem = f"{len(problems)} triggers or indexes are not as they should be"
                return f"{problem}; see sync_doctor"
            self._whole_until = time.monotonic() + WHOLE_FOR
        return ""


def _not_applied() -> list[str]:
    applied = MigrationRecorder(connection()).applied_migrations()
    return [name for name in _migrations() if (APP, name) not in applied]


@functools.cache
def _migrations() -> tuple[str, ...]:
    """The names of our migrations, as this process's code has them."""
    loader = MigrationLoader(None)
    return tuple(sorted(name for app, name in loader.disk_migrations if app == APP))


_readiness = Readiness(Look())
ready = _readiness.ready
"""Whether this process can serve now."""
