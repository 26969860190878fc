"""The works that ``ratios`` measures, each a name and a function of its options that yields lines.

A new one is a function here with ``@work``; the order here is the order of a whole run. Modules are
imported within the functions, because they need Django to be set up, and ``ratios`` asks for the
names before that. An option of its own goes to the parser in ``ratios``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.measure import Line
    from tests.benchmarks.works_read import Reading

Options = argparse.Namespace
Lines = Callable[[Options], "Iterable[Line]"]

WORKS: dict[str, Lines] = {}
"""By name, in the order in which they run."""


def work(lines: Lines) -> Lines:
    """Enter a function under its own name."""
    WORKS[lines.__name__] = lines
    return lines


@work
def write(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_write

    return works_write.lines(asked.single, asked.bulk, asked.pairs)


@work
def real(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_real

    return works_real.lines(asked.single, asked.pairs)


@work
def commits(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_commits

    return works_commits.lines(asked.writers, 2, asked.seconds, asked.pairs)


@work
def mutate(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_mutate

    return works_mutate.lines(asked.batches, asked.calls, asked.pairs)


@cache
def reading(records: int) -> Reading:
    """The user and the records that the next three share."""
    from tests.benchmarks.works_read import Reading

    return Reading(records)


@work
def pull(asked: Options) -> Iterable[Line]:
    yield from reading(asked.records).first_pull(asked.pulls)
    yield reading(asked.records).nested_pull(asked.pulls)


@work
def idle(asked: Options) -> Iterable[Line]:
    return [reading(asked.records).nothing_new(asked.calls, asked.pairs)]


@work
def change(asked: Options) -> Iterable[Line]:
    return reading(asked.records).one_change(asked.others, asked.calls, asked.pairs)


@work
def queue(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_queue

    return works_queue.lines(asked.queued, min(asked.pairs, 2))


@work
def real_read(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_real_read

    return works_real_read.lines(asked.real, asked.pulls)


@work
def sockets(asked: Options) -> Iterable[Line]:
    from tests.benchmarks import works_sockets

    return works_sockets.lines(asked.sockets, asked.sent, asked.pairs)


@work
def waiting(asked: Options) -> Iterable[Line]:
    """Only on PostgreSQL: SQLite has one writer, and so many readers would block it."""
    from django.db import connection

    from tests.benchmarks import waiting

    return waiting.lines(asked.held) if connection.vendor == "postgresql" else ()


@work
def browser(asked: Options) -> Iterable[Line]:
    from django.db import connection

    from tests.benchmarks import works_browser

    return works_browser.lines(connection.vendor, asked.cards, asked.pairs * 5)


@work
def sequencer(asked: Options) -> Iterable[Line]:
    """Runs last, since it leaves a long log."""
    from tests.benchmarks import works_sequencer

    return works_sequencer.lines(asked.backlog, asked.pairs)
