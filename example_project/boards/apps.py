"""The application of the example."""

from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "example_project.boards"
    label = "boards"
    verbose_name = "Boards"
