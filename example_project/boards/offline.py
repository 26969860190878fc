"""What the service worker keeps: the static files of the application, under one name a release.

It finds them as `runserver` and `collectstatic` do, and gives their addresses as templates have
them. It knows nothing of what is in them.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.urls import reverse

WORKER = "boards/service-worker.js"
FOLDERS = ("boards/", "django_sync/")
KINDS = (".js", ".css", ".svg", ".png", ".webmanifest")
LEFT_OUT = (WORKER, "django_sync/admin.css")


def files() -> dict[str, Path]:
    """The files that the application needs without a net, by their names, sorted."""
    found: dict[str, Path] = {}
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            path = name.replace("\\", "/")
            if path.startswith(FOLDERS) and path.endswith(KINDS) and path not in LEFT_OUT:
                found.setdefault(path, Path(storage.path(name)))
    return dict(sorted(found.items()))


def release() -> str:
    """A name for the files as they are; another where one byte of them is another."""
    return _digest() if settings.DEBUG else _lasting_digest()


def script(*, as_module: bool = False) -> str:
    """The service worker: what to keep, and then the file that does it.

    As a module it handles pushes besides; not every browser runs modules there.
    """
    values = {
        "release": release(),
        "files": [static(name) for name in files()],
        "scope": reverse("boards"),
    }
    text = f"self.BOARDS = {json.dumps(values, indent=1)};\n\n{_worker().read_text('utf-8')}"
    if not as_module:
        return text
    path = json.dumps(static("django_sync/worker.js"))
    return f"import {{ handlePush }} from {path};\n\n{text}\nhandlePush(self);\n"


def _digest() -> str:
    digest = hashlib.sha256(_worker().read_bytes())
    for name, path in files().items():
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


_lasting_digest = cache(_digest)  # a site's files change when its processes restart


def _worker() -> Path:
    found = finders.find(WORKER)
    if not isinstance(found, str):
        raise FileNotFoundError(WORKER)
    return Path(found)
