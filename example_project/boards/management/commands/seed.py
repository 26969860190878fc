"""``manage.py seed``: the demo's rows, wherever they are missing."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction

from ... import demo


class Command(BaseCommand):
    help = "Adds the demo's users (ada, grace, alan, admin) and boards where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            demo.add_rows(apps)
        if options["verbosity"]:
            self.stdout.write("Users: ada, grace, alan, admin. Password <name>-demo.")
