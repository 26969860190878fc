"""django_sync as a peer in a harness that measures several systems side by side.

The harness is not part of this repository; ``make bench-peers PEERS=/path/to/it`` runs it. It
finds the class here by ``EXTRA_PEERS=tests.benchmarks.peers:DjangoSync``, starts it under gunicorn
as it does with plain DRF, and has it push, pull and poll the same records over HTTP. The peer's own
environment serves (Django, DRF, psycopg, gunicorn, and the pure Python of django_sync's).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.parse
import uuid
from itertools import count
from pathlib import Path
from typing import Any

# The harness is no package of ours: `make bench-peers` puts its folder on the path.
from common import PEERS, PG_PORT, Server, createdb  # type: ignore[import-not-found]  # the harness brings it
from peers_http import Peer  # type: ignore[import-not-found]  # the harness brings it

ROOT = Path(__file__).resolve().parents[2]
CURSOR = re.compile(rb'"cursor":"([^"]*)"')
MIGRATE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0, run_syncdb=True)
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
Token.objects.create(user=User.objects.create_user("bench"), key="bench")
"""
FILL = """
import json, sys, django; django.setup()
from tests.benchmarks.notes.models import Note
made = [Note(room="bench", **one) for one in json.load(sys.stdin)]
Note.objects.bulk_create(made, batch_size=5000)
from django_sync.feed import sequencer
sequencer.sequence()
"""


class DjangoSync(Peer):  # of the harness, which has no types
    """On PostgreSQL, under gunicorn, with a token for each request."""

    name, pg, direct_fill = "django-sync-pg-gunicorn", True, True
    dbname = "djsync_peer"

    def start(self) -> Any:
        createdb(self.dbname)
        python = os.path.join(PEERS, "drf", "bin", "python")
        self.env = {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{PG_PORT}/{self.dbname}",
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings",
            "PYTHONPATH": str(ROOT),
        }
        self.python = python
        self._run(MIGRATE)
        argv = [python, "-m", "gunicorn", "tests.benchmarks.wsgi:application"]
        argv += ["-b", f"127.0.0.1:{self.port}", "--threads", "4", "-w", "1"]
        argv += ["--keep-alive", "30", "--log-level", "warning"]
        return Server(self.name, argv, self.port, self.env, cwd=ROOT)

    def _run(self, code: str, told: str = "") -> None:
        argv = [self.python, "-c", code]
        env = {**os.environ, **self.env}
        subprocess.run(argv, check=True, cwd=ROOT, env=env, input=told, text=True)

    async def prepare(self, http: Any) -> None:
        self.client, self.seq = str(uuid.uuid4()), count(1)
        self.revisions: dict[str, int] = {}
        self.headers = {"authorization": "Token bench", "content-type": "application/json"}
        _, body = await self.req(http, "GET", "/sync/", headers=self.headers)
        self.epoch = json.loads(body)["epoch"]

    async def fill(self, http: Any, recs: list[Any], deadline: float) -> bool:
        """Past the protocol, by ``bulk_create``, with all triggers at work."""
        self._run(FILL, json.dumps(recs))
        return True

    def _mutation(self, rec: dict[str, Any]) -> dict[str, Any]:
        fields = {name: value for name, value in rec.items() if name != "id"}
        base = self.revisions.get(rec["id"])
        told = {
            "id": str(uuid.uuid4()),
            "seq": next(self.seq),
            "op": "create" if base is None else "update",
            "collection": "notes",
            "object_id": rec["id"],
            "fields": fields,
        }
        return told if base is None else {**told, "base_revision": base, "epoch": self.epoch}

    async def push(self, http: Any, recs: list[Any]) -> None:
        told = {"client_id": self.client, "mutations": [self._mutation(rec) for rec in recs]}
        url, sent = "/sync/mutations/", json.dumps(told).encode()
        _, answer = await self.req(http, "POST", url, data=sent, headers=self.headers)
        for rec, result in zip(recs, json.loads(answer)["results"], strict=True):
            if result["status"] != "applied":
                raise RuntimeError(f"{self.name}: {result}")
            self.revisions[rec["id"]] = result["revision"]

    async def put_one(self, http: Any, rec: dict[str, Any]) -> None:
        await self.push(http, [rec])

    async def update_one(self, http: Any, rec: dict[str, Any]) -> None:
        """Each record is there already; where it was not pushed by us it is at revision 1."""
        self.revisions.setdefault(rec["id"], 1)
        await self.push(http, [rec])

    async def pull(self, http: Any, page: int | None = None) -> tuple[int, int, int, str]:
        found = size = requests = 0
        place, more = "", True
        while more:
            url = f"/sync/changes/?collections=notes&limit={page or self.page}{place}"
            _, body = await self.req(http, "GET", url, headers=self.headers)
            found, size, requests = found + body.count(b'"title":'), size + len(body), requests + 1
            token = CURSOR.search(body).group(1).decode()  # type: ignore[union-attr]  # each page has one
            place, more = f"&cursor={urllib.parse.quote(token)}", b'"has_more":true' in body
        return found, size, requests, token

    async def changes(self, http: Any, token: str) -> tuple[int, int, str]:
        url = f"/sync/changes/?collections=notes&cursor={urllib.parse.quote(token)}"
        _, body = await self.req(http, "GET", url, headers=self.headers)
        found = CURSOR.search(body)
        assert found, body[:300]
        return body.count(b'"title":'), len(body), found.group(1).decode()
