"""``sync_push``: the dispatcher and its deliveries, without Celery."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

from ...conf import conf
from ...push.delivery import send_all
from ...push.dispatcher import note_news
from ..shared import SyncCommand

log = logging.getLogger("django_sync.push")


class Command(SyncCommand):
    help = "Wake sleeping sessions in whose scopes something changed, until the process is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--once", action="store_true", help="Look once, send what is due, and exit; for cron."
        )
        parser.add_argument(
            "--interval", type=float, default=1.0, help="Seconds between two looks; by default 1."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_database(options["database"])
        if not conf.PUSH_SENDERS:
            raise CommandError("DJANGO_SYNC[“PUSH_SENDERS”] names no sender.")
        if options["interval"] <= 0:
            raise CommandError("--interval must be more than 0")
        if options["once"]:
            done = {"noted": note_news(), "sent": send_all()}
            if options["json"]:
                self.write_json(done)
            elif options["verbosity"]:
                self.stdout.write(
                    f"News for {done['noted']} endpoints; {done['sent']} due ones handled."
                )
            return
        self.run(options["interval"])

    def run(self, interval: float) -> None:
        """Run until SIGTERM or SIGINT. If the database does not answer, try again."""
        ended = threading.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: ended.set())
        while not ended.is_set():
            try:
                note_news()
                send_all()
            except (OperationalError, InterfaceError):
                log.exception("the database did not answer; trying again")
            close_old_connections()
            ended.wait(interval)
