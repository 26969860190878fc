"""What the commands share: the database, and JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from ..conf import conf


class SyncCommand(BaseCommand):
    """A command about the one database that sync uses, with ``--json`` for programs."""

    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON, for programs.")
        parser.add_argument(
            "--database",
            default=None,
            help="The alias that DJANGO_SYNC names; another one is refused.",
        )

    def check_database(self, alias: str | None) -> None:
        if alias not in (None, conf.DATABASE):
            raise CommandError(
                f"Sync is on “{conf.DATABASE}”. Name another database in "
                "DJANGO_SYNC = {“DATABASE”: …}, not here."
            )

    def write_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, default=str, ensure_ascii=False))
