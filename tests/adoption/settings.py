"""The example's settings with django-todo, before and after its tasks are synced."""

import os

from example_project.settings import *  # noqa: F403  # settings are meant to be taken over whole
from example_project.settings import INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith("example_project")]
INSTALLED_APPS += ["dal", "dal_select2", "todo", "django.contrib.sites"]
if os.environ.get("ADOPTED"):
    INSTALLED_APPS += ["tests.adoption.tasks"]
MIGRATION_MODULES = {"tasks": os.environ.get("TASKS_MIGRATIONS", "tasks_migrations")}
ROOT_URLCONF = "tests.adoption.urls"
SITE_ID = 1
DEBUG = False
ALLOWED_HOSTS = ["testserver"]
TODO_STAFF_ONLY = False
SECRET_KEY = "the suite's"
