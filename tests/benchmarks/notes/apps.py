from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "tests.benchmarks.notes"
    label = "notes"
