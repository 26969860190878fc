"""``sync_doctor``: it reports problems, and ``--fix`` repairs what can be repaired."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management import CommandError

from ...maintenance import slow_serializers
from ...maintenance.doctor import STUCK_MINUTES, Finding, examine, mend
from ..shared import SyncCommand

HEALTHY, PROBLEMS, FIXED = 0, 1, 2


class Command(SyncCommand):
    help = (
        "Look for problems in capture, rows, outbox and log. It changes nothing without --fix. "
        "Exits with 0 if all is well, 1 if there are problems, 2 if all were fixed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fix", action="store_true", help="Repair what can be repaired.")
        parser.add_argument(
            "--stuck-minutes",
            type=int,
            default=STUCK_MINUTES,
            help="A change that waits for longer is stuck (default: %(default)s).",
        )
        parser.add_argument(
            "--slow",
            action="store_true",
            help="Look for serializers that make pulls slow instead. Exits with 1 if there are.",
        )
        parser.add_argument(
            "--as",
            dest="username",
            help="For --slow: read as this user; without it, users who signed in last are tried.",
        )
        parser.add_argument("--batch-size", type=int, help="Rows looked at in one statement.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_database(options["database"])
        if options["slow"]:
            self.report_slow(options["username"], as_json=options["json"])
            return
        look: dict[str, Any] = {"minutes": options["stuck_minutes"], "batch": options["batch_size"]}
        if options["verbosity"] > 1 and not options["json"]:
            look["progress"] = lambda what: self.stdout.write(f"  looking at {what}")
        found = examine(**look)
        left = found
        if options["fix"] and any(finding.mends for finding in found):
            mend(found)
            left = examine(**look)
        code = verdict(found, left)
        if options["json"]:
            report = {"found": [f.to_json() for f in found], "left": [f.to_json() for f in left]}
            self.write_json(report | {"verdict": ("healthy", "problems", "fixed")[code]})
        else:
            self.report(found, left, fix=options["fix"])
        if code:
            sys.exit(code)

    def report_slow(self, username: str | None, *, as_json: bool) -> None:
        try:
            found = slow_serializers.measure(slow_serializers.users_to_try(username))
        except LookupError:
            raise CommandError(f"There is no user “{username}”.") from None
        if as_json:
            self.write_json({"collections": [collection.to_json() for collection in found]})
        else:
            self.stdout.write("\n".join(text for one in found for text in slowness_text(one)))
        if any(collection.is_slow for collection in found):
            sys.exit(PROBLEMS)

    def report(self, found: list[Finding], left: list[Finding], *, fix: bool) -> None:
        for finding in found:
            self.stdout.write(sentence(finding))
            for example in finding.examples:
                self.stdout.write(f"    {example}")
            if finding.mends and not fix:
                self.stdout.write(f"    --fix {finding.mends}")
            elif finding.mends and finding.kind not in {one.kind for one in left}:
                self.stdout.write("    fixed")
        serious = [finding for finding in left if finding.serious]
        if not any(finding.serious for finding in found):
            self.stdout.write("All is well.")
        elif not serious:
            self.stdout.write("All problems were fixed.")
        elif fix:
            self.stdout.write(f"{len(serious)} problems are left.")
        else:
            self.stdout.write(f"{len(serious)} problems; nothing was changed.")


def counted(number: float, word: str) -> str:
    """A number with its word: 1 time, 2 times."""
    return f"{number:g} {word}{'' if number == 1 else 's'}"


HOW = (
    "    Fetch it in the viewset's get_queryset(): related rows by select_related() or",
    "    prefetch_related(), a count or a sum by annotate(); and read it from there.",
)


def slowness_text(found: slow_serializers.Slowness) -> Iterator[str]:
    """The lines of output on a collection: its cost, and how to make it faster."""
    if found.error:
        yield f"note: {found.collection}: not looked at; {found.error}"
        return
    what = "problem" if found.is_slow else "fine"
    yield (
        f"{what}: {found.collection}: {counted(found.statements, 'statement')} for a page of"
        f" {found.page_size} records (looked at {counted(found.records, 'record')}"
        f" as {found.user})"
    )
    if found.is_slow:
        yield f"    Each record asks the database {counted(found.per_record, 'time')}."
        for name, times in found.fields:
            yield f"    The field “{name}” asks {counted(times, 'time')} for each record."
        if not found.fields:
            yield "    No single field does; the serializer's own to_representation() may."
        yield from HOW
    if found.made_by_drf:
        yield f"    Made one by one in Python, because of: {', '.join(found.made_by_drf)}."


def sentence(finding: Finding) -> str:
    """A finding as one line."""
    word = "problem" if finding.serious else "note"
    where = f"{finding.label}: " if finding.label else ""
    return f"{word}: {where}{finding.detail} ({finding.count})"


def verdict(found: list[Finding], left: list[Finding]) -> int:
    """The exit code, by what was found first and what is left."""
    if any(finding.serious for finding in left):
        return PROBLEMS
    return FIXED if any(finding.serious for finding in found) else HEALTHY
