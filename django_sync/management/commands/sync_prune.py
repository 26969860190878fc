"""``sync_prune``: forget old changes, results, visibilities and sessions. For cron."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import CommandError

from ...maintenance.retention import Pruned, prune
from ..shared import SyncCommand


class Command(SyncCommand):
    help = (
        "Forget changes, results, visibilities and sessions that are older than the settings keep."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="Only print what would be forgotten."
        )
        parser.add_argument("--days", type=int, help="Instead of KEEP_DAYS.")
        parser.add_argument("--keep", type=int, help="Instead of KEEP_CHANGES; 0 for no bound.")
        parser.add_argument("--batch-size", type=int, help="Instead of PRUNE_BATCH.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_database(options["database"])
        loud = options["verbosity"] > 1 and not options["json"]
        try:
            report = prune(
                days=options["days"],
                keep=options["keep"],
                batch=options["batch_size"],
                dry_run=options["dry_run"],
                progress=self.progress if loud else None,
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.write_json(report.to_json())
        elif options["verbosity"]:
            self.report(report)

    def progress(self, what: str, count: int) -> None:
        self.stdout.write(f"  {count} {what} so far")
        self.stdout.flush()

    def report(self, report: Pruned) -> None:
        would = "Would forget" if report.dry_run else "Forgot"
        self.stdout.write(
            f"{would} {report.changes} changes, {report.results} results, "
            f"{report.visibilities} visibilities, "
            f"{report.decisions} decisions, {report.sessions} sessions."
        )
        if report.floor == report.floor_before:
            self.stdout.write(f"The floor is at {report.floor}, as before.")
        else:
            moves = "would move" if report.dry_run else "moved"
            self.stdout.write(f"The floor {moves} from {report.floor_before} to {report.floor}.")
        if report.held is not None:
            self.stdout.write(f"It goes no further: a client is fetching from {report.held}.")
