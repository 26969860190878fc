"""``sync_status``: the state of the feed. For monitoring."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from ...maintenance.status import MOST, Push, Sessions, Status, status
from ..shared import SyncCommand


class Command(SyncCommand):
    help = "Print the state of the feed. Exits with 1 if the outbox lags, else with 0."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--max-lag",
            type=float,
            metavar="SECONDS",
            help="Exit with 1 if a change has waited for its position for longer.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_database(options["database"])
        found, most = status(), options["max_lag"]
        late = most is not None and found.lag > most
        if options["json"]:
            self.write_json(found.to_json())
        else:
            self.report(found)
            if late:
                self.stderr.write(f"The outbox lags: {found.lag:.0f} s, above {most:.0f} s.")
        if late:
            sys.exit(1)

    def report(self, found: Status) -> None:
        held = "" if found.held is None else f", held at {found.held}"
        for name, value in (
            ("epoch", found.epoch or "none yet: nobody has pulled"),
            ("head, floor", f"{found.head}, {found.floor}{held}"),
            ("log", f"{found.changes} changes" + (f" since {found.oldest}" * bool(found.oldest))),
            ("outbox", f"{number(found.unsequenced)} waiting, the oldest for {found.lag:.0f} s"),
            ("clients", number(found.clients)),
            ("visibilities", number(found.visibilities)),
            ("results", number(found.results)),
            ("tombstones", number(found.tombstones)),
        ):
            self.stdout.write(f"{name:<12} {value}")
        for transport, states in found.sessions.open.items():
            counts = ", ".join(f"{number(count)} {state}" for state, count in states.items())
            self.stdout.write(f"{'sessions':<12} {transport}: {counts}")
        self.stdout.write(f"{'':<12} {aside(found.sessions)}")
        if found.push.endpoints:
            self.stdout.write(f"{'push':<12} {of_push(found.push)}")
        for model in found.models:
            strangers = f", {model.without_id} rows without an id" * bool(model.without_id)
            self.stdout.write(f"{model.model}: generation {model.generation}{strangers}")


def aside(sessions: Sessions) -> str:
    """The text on sessions besides the number of open ones."""
    text = f"{number(sessions.ended)} ended; blocked: {number(sessions.blocked_users)} users, "
    text += f"{number(sessions.blocked_clients)} clients; "
    lag = sessions.worst_lag
    if lag is None:
        return f"{text}no position known"
    return f"{text}worst lag {lag.changes} changes, {lag.seconds:.0f} s, of {sessions.worst}"


def of_push(push: Push) -> str:
    """The text on endpoints: how many, and which problems."""
    text = f"{number(push.endpoints)} endpoints; {number(push.due)} due, the oldest for "
    text += f"{push.overdue:.0f} s; {number(push.failing)} failing, {number(push.parked)} parked; "
    if push.unseen is None:
        return f"{text}nobody looks through the feed: run Celery’s beat, or sync_push"
    return f"{text}{push.unseen} positions not looked through"


def number(count: int) -> str:
    """A bounded count as text."""
    return f"{MOST} or more" if count >= MOST else str(count)
