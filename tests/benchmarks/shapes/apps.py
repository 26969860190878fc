from django.apps import AppConfig


class ShapesConfig(AppConfig):
    name = "tests.benchmarks.shapes"
    label = "shapes"
