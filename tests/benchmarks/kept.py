"""The example's settings, on a site that keeps its database connections."""

from example_project.settings import *  # noqa: F403  # taken over whole
from example_project.settings import DATABASES

DATABASES["default"]["CONN_MAX_AGE"] = 60
