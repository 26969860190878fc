"""``sync_adopt``: gives ids and scopes to rows of large tables that ``migrate`` has left out."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from ...capture import adopt, count, spec_for, synced_models
from ...conf import conf


class Command(BaseCommand):
    help = (
        "Give an id and a scope to rows of synced models without them, in batches. "
        "It can be stopped and started again; it does nothing if nothing is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which models, and how."""
        parser.add_argument("models", nargs="*", metavar="app.model", help="all, if none is named")
        parser.add_argument("--batch-size", type=int, help="rows in one transaction (ADOPT_BATCH)")
        parser.add_argument("--dry-run", action="store_true", help="count rows, and write nothing")

    def handle(self, *labels: str, **options: Any) -> None:
        """Adopt the models in the order in which their scopes depend on each other."""
        known = {spec_for(model).label: model for model in synced_models()}
        wanted = [label.lower() for label in options["models"]]
        for label in wanted:
            if label not in known:
                raise CommandError(f"{label} is not a synced model; these are: {', '.join(known)}.")
        size = options["batch_size"]
        if size is not None and size < 1:
            raise CommandError("--batch-size takes a number of rows, from 1.")
        for label, model in known.items():
            if wanted and label not in wanted:
                continue
            total = count(model, conf.DATABASE)
            if options["dry_run"]:
                self.stdout.write(f"{label}: {total} rows to adopt")
                continue
            self._total, self._loud = total, options["verbosity"] > 0
            filled = adopt(model, conf.DATABASE, size, self._report)
            self.stdout.write(f"{label}: {filled} rows adopted")

    def _report(self, label: str, filled: int) -> None:
        if self._loud:
            self.stdout.write(f"{label}: {filled} of {self._total}")
            self.stdout.flush()
