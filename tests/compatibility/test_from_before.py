"""What the code of before has stored, the code of today uses: a server database, and client stores
in Python and JavaScript.

``recorded/`` holds what record.py had an older commit store, and what that commit made of it when
its clients synced next. Here today's code migrates the same database, opens the same stores and
syncs them, and must make the same of it, request by request.

All of it is stored for long, none of it may change without a way for those who have it: tables and
their contents, triggers, what the feed, the result store and views of cursors are kept as, the
format of cursors, the shapes of the example's records (a class of ours that serializers use and
that has another name is another shape), the tables of both clients. A change of one of them fails
here.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility.example import FAKE, ROOT, Example, Rows, new_database, restore
from tests.compatibility.record import recorded, recordings, summary, sync
from tests.javascript.test_javascript import node

pytestmark = pytest.mark.slow

RECORDINGS = [
    pytest.param(prefix, marks=getattr(pytest.mark, prefix.split("-")[1]))
    for prefix in recordings()
]
DJANGOS = frozenset({"django_migrations", "django_content_type", "auth_permission"})
"""Tables to which ``migrate`` adds rows for what is new."""

Recording = dict[str, str]
"""The recorded files by the ends of their names."""


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return recorded(request.param)


@pytest.fixture
def example(recording: Recording, tmp_path: Path) -> Iterator[Example]:
    """Today's example on the database of before."""
    with new_database(os.environ.get("DATABASE_URL", ""), tmp_path) as url:
        restore(url, recording["server.sql"])
        yield Example(ROOT, url)


def test_there_are_recordings_of_both_databases() -> None:
    assert {prefix.split("-")[1] for prefix in recordings()} == {"postgresql", "sqlite"}


def test_the_database_migrates_and_keeps_what_it_holds(example: Example) -> None:
    before = example.rows()
    example.manage("migrate", "--verbosity", "0")
    after = example.rows()
    assert before["django_sync_mutationresult"]
    assert before["django_sync_decision"]
    assert before["django_sync_endpoint"]
    assert sorted(set(before) - set(after)) == []
    for table in before:
        if table in DJANGOS:
            assert_kept(before, after, table)
        else:
            assert columns_of_before(before, after, table) == before[table], table
    example.manage("makemigrations", "--check", "--dry-run")


def columns_of_before(before: Rows, after: Rows, table: str) -> list[dict[str, str]]:
    """A table's rows without the columns that were added to it."""
    columns = set(before[table][0]) if before[table] else set()
    kept = [{name: row[name] for name in columns & set(row)} for row in after[table]]
    return sorted(kept, key=lambda row: sorted(row.items()))


def assert_kept(before: Rows, after: Rows, table: str) -> None:
    assert [row for row in before[table] if row not in after[table]] == [], table


@pytest.mark.parametrize("client", ["python", "javascript"])
def test_a_client_of_before_goes_on(
    example: Example, recording: Recording, tmp_path: Path, client: str
) -> None:
    if client == "javascript":
        node()
        if not FAKE.exists():
            pytest.skip("fake-indexeddb is not in .node")
    results = example.rows()["django_sync_mutationresult"]
    example.manage("migrate", "--verbosity", "0")
    report = sync(example, tmp_path, recording, client)
    expected = json.loads(recording["expected.json"])[client]

    # What was acknowledged, and what was not, is there as it was left.
    before = report["before"]
    assert before == expected["before"]
    states = [one[4] for one in before["outbox"]]
    assert states == ["sent", *["new"] * (len(states) - 1)]
    assert {one[1] for one in before["outbox"]} == {"create", "update", "delete"}
    assert before["conflicts"]
    assert report["settled"] == [True, True]

    # The cursor of before is taken: no collection begins anew.
    pulls = [one for one in report["exchanges"] if "changes" in one]
    store = recording["python.sql" if client == "python" else "javascript.json"]
    assert pulls[0]["cursor"] is not None
    assert pulls[0]["cursor"] in store
    assert {one["status"] for one in report["exchanges"]} == {200}
    assert "begin" not in {change[0] for pull in pulls for change in pull["changes"]}

    # A mutation whose answer was lost is answered from the result store; the others arrive once.
    (first, decision) = [one["results"] for one in report["exchanges"] if one.get("results")]
    assert [one[0] for one in first] == [one[0] for one in before["outbox"]]
    assert [one[2] for one in first] == [True, *[False] * (len(first) - 1)]
    assert [one[1] for one in decision] == ["applied"]
    stored = [uuid.UUID(str(id)) for (id,) in example.query(RESULTS)]
    assert len(stored) == len(set(stored))
    assert {uuid.UUID(one[0]) for one in first} <= set(stored)
    kept = example.rows()["django_sync_mutationresult"]
    assert [row for row in results if row not in kept] == []
    assert len(kept) == len(results) + len(first) - 1 + len(decision)

    # Both sides have the same in the end, and it is what the code of before made of it.
    assert report["contents"] == report["tables"]
    assert report["after"]["outbox"] == report["after"]["conflicts"] == []
    assert summary(report) == expected
    assert report["live"] == "long-poll"

    # Its old session is replaced by one that goes on, and the server finds nothing amiss.
    theirs = f"client_id = '{as_stored(example, report['client_id'])}' AND ended_at IS NULL"
    assert example.query(f"SELECT count(*) FROM django_sync_syncsession WHERE {theirs}") == [(1,)]
    example.manage("sync_doctor")


RESULTS = "SELECT mutation_id FROM django_sync_mutationresult WHERE client_id IS NOT NULL"


def as_stored(example: Example, id: str) -> str:
    return id if example.url.startswith("postgres") else uuid.UUID(id).hex


def test_the_server_goes_on_with_its_triggers_wake_ups_blocks_and_conflicts(
    example: Example,
) -> None:
    example.manage("migrate", "--verbosity", "0")
    titled = "title = 'Made while both were away'"
    ((id,),) = example.query(f"SELECT id FROM boards_card WHERE {titled}")
    revisions = f"SELECT sync_revision FROM boards_card WHERE id = {id}"
    ((revision,),) = example.query(revisions)
    example.execute(f"UPDATE boards_card SET body = 'by plain SQL' WHERE id = {id}")
    assert example.query(revisions) == [(revision + 1,)]

    sent = example.manage("sync_push", "--once")
    assert "push webhook: " in sent
    assert "cards" in sent

    with example.served() as address:
        body = page(address, "ada")
        assert "by plain SQL" in json.dumps(body)
        with pytest.raises(urllib.error.HTTPError) as refused:
            page(address, "alan")
        assert refused.value.code == 403
        assert json.load(refused.value)["code"] == "blocked"
        refused.value.close()
        visit_the_admin(address)


def page(address: str, name: str) -> Any:
    """What somebody's new client pulls first."""
    headers = {"Authorization": f"Token demo-{name}"}
    request = urllib.request.Request(f"{address}/sync/changes/", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def visit_the_admin(address: str) -> None:
    """Every list of sync's that the admin links to shows what was recorded."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(path: str, data: bytes | None = None) -> str:
        with browser.open(f"{address}{path}", data, timeout=60) as answer:
            return str(answer.read().decode())

    get("/admin/login/")
    (token,) = [cookie.value for cookie in jar if cookie.name == "csrftoken"]
    form = {"username": "admin", "password": "admin-demo", "csrfmiddlewaretoken": token}
    index = get("/admin/login/?next=/admin/", urllib.parse.urlencode(form).encode())
    lists = sorted(set(re.findall(r'href="(/admin/django_sync/[a-z]+/)"', index)))
    assert lists
    shown = {path: get(path) for path in lists}
    assert "votes" in shown["/admin/django_sync/openconflict/"]
    assert "python/linux" in shown["/admin/django_sync/syncsession/"]
