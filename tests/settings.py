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
INSTALLED_APPS = [
    *INSTALLED_APPS,  # noqa: F405
    "tests.app",  # models of each kind, for capture
    "tests.registry_app",  # and for registration and checks
    "tests.access_app",  # what docs/howto/server/access.md has people write
    "drf_spectacular",
]
SPECTACULAR_SETTINGS = {
    "TITLE": "Boards, by django_sync",
    "DESCRIPTION": "The sync endpoints of the example project. What they mean is in protocol.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["django_sync.http.schema.each_collection"],
}
SIMPLE_JWT = {"SIGNING_KEY": "the suite's own key, as long as its hash wants one to be"}
