"""The public surface: its names, and what importing it pulls in."""

from __future__ import annotations

import subprocess
import sys

import django_sync.client


def test_exported_names() -> None:
    assert sorted(django_sync.client.__all__) == [
        "Auth",
        "Backoff",
        "BasicAuth",
        "BearerAuth",
        "Change",
        "Collection",
        "Conflict",
        "Counts",
        "Mutation",
        "NetworkState",
        "Pace",
        "Progress",
        "Query",
        "Record",
        "Rejection",
        "Resolution",
        "Status",
        "SyncClient",
        "TokenAuth",
    ]
    assert all(getattr(django_sync.client, name).__doc__ for name in django_sync.client.__all__)


def test_the_client_runs_without_django() -> None:
    program = (
        "import sys; import django_sync.client, django_sync.testing.server;"
        "found = {'django', 'rest_framework', 'channels', 'celery'} & set(sys.modules);"
        "sys.exit(str(found) if found else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
