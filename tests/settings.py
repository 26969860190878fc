"""The suite's settings: those of the example, on a database of this run's own.

``DATABASE_URL`` chooses the database: SQLite in a file without it, since tests run several
processes on one database, and an in-memory one is seen by a single process.
"""

import sys
import zlib
from pathlib import Path

from example_project.settings import *  # noqa: F403  # settings are meant to be taken over whole
from example_project.settings import DATABASES

ROOT = Path(__file__).resolve().parent.parent

# Two checkouts, or two Pythons of one, may run on one machine and one server at a time.
_RUN = f"{zlib.crc32(str(ROOT).encode()):08x}_py{sys.version_info.major}{sys.version_info.minor}"

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    _FOLDER = ROOT / ".test-databases"
    _FOLDER.mkdir(exist_ok=True)
    DATABASES["default"]["TEST"] = {"NAME": str(_FOLDER / f"{_RUN}.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"test_django_sync_{_RUN}"}

DEBUG = False
SECRET_KEY = "the suite's"
BOARDS_DEMO_ROWS = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; nothing to protect
# models of each kind: for capture, and for registration and checks
INSTALLED_APPS = [*INSTALLED_APPS, "tests.app", "tests.registry_app"]  # noqa: F405
