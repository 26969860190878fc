"""The pages about the JavaScript client, in Chromium, against the example with its demo's rows."""
# ruff: noqa: E501  # JavaScript, as its own formatter has it

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from tests.benchmarks.first_pull import environment, free_port, server
from tests.tools.declared import public
from tests.tools.pages import ROOT

from .browsing import browsing
from .howto import run, snippets
from .running import Block

pytestmark = pytest.mark.sqlite  # a server and a database of its own


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The example as its demo, static files too; the address of its sync."""
    env = environment(tmp_path) | {"DEBUG": "1"}
    env["DATABASE_URL"] = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
    manage = [sys.executable, str(ROOT / "example_project" / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], env=env, check=True)
    port = free_port()
    with server("asgi", port, env):
        yield f"http://127.0.0.1:{port}/sync/"


USE, INDEXED, CSRF, BEARER, TYPES, NODE = snippets("javascript")
(
    MEMORY, PERSIST, FULL, ROOM, ENDED, OUT, DECIDE, REFUSED, RELEASE, MIDDLEWARE,
) = snippets("offline")  # fmt: skip

OPEN = """
const lib = await import("/static/django_sync/client.js");
lib.logTo({ warn: () => undefined });
const COLLECTIONS = ["boards", "labels", "cards", "comments"];
const said = (globalThis.said ??= []);
const say = (words) => said.push(words);
const until = async (holds) => {
  for (let at = 0; at < 2000 && !(await holds()); at++) await new Promise((done) => setTimeout(done, 10));
  if (!(await holds())) throw new Error(`never: ${holds}`);
};
const open = (store, how = {}) =>
  lib.SyncClient.open("/sync/", { store, collections: COLLECTIONS, auth: new lib.SessionAuth({ user: "ada" }), ...how });
"""
CLIENT = "const client = await open(NAME); const cards = client.collection('cards');"


def script(block: Block) -> str:
    """A block as it may stand in a function."""
    assert block.info == "js"
    return re.sub(
        r'^import (\{.+?\}) from ("[^"]+");$',
        r"const \1 = await import(\2);",
        block.body,
        flags=re.M,
    )


def do(page: Any, *parts: str, name: str = "boards-docs") -> Any:
    code = "\n".join(parts).replace("NAME", f'"{name}"')
    return page.evaluate(f"async () => {{ {OPEN} {code} }}")


def signed_in(page: Any, url: str) -> None:
    """On a page of Ada's that runs no scripts of its own."""
    host = url.removesuffix("/sync/")
    page.goto(f"{host}/login/?next=/plain/")
    page.click("form:has([type=hidden][name=username][value=ada]) button")
    page.wait_for_url("**/plain/")


@pytest.mark.slow
def test_the_pages_in_a_browser(site: str) -> None:
    """One browser for all, since it takes seconds to start."""
    with browsing() as context:
        page = context.new_page()
        signed_in(page, site)
        for check in (
            uses,
            finds,
            keeps,
            is_full,
            ends,
            signs_out,
            settles,
            upgrades,
            is_older,
            is_blocked,
        ):
            check(page)


def uses(page: Any) -> None:
    told = do(
        page,
        # One of a board that Ada may write, for she only reads another.
        "const mine = async (client) => { const [board] = await client.collection('boards').filter({ name: 'Launch' });",
        "  return { column: 'todo', board: board.id }; };",
        script(USE).replace('cards.filter({ column: "todo" })', "cards.filter(await mine(client))"),
        "await until(() => document.title.endsWith('to do'));",
        "await until(async () => (await client.outbox()).length === 0);",
        "const now = await cards.get(card.id); query.stop(); await client.close();",
        "return [now.object.column, (await indexedDB.databases()).map(({ name }) => name)];",
    )
    assert told[0] == "doing"
    assert "django_sync boards-ada" in told[1]  # as the table of what is kept where has it


def finds(page: Any) -> None:
    """The same with and without the indexes, in order."""
    told = do(
        page,
        script(INDEXED).replace('cards");', 'cards"); await client.sync();'),
        "const shown = [inMarch, latest].map((records) => records.map(({ object }) => object.due));",
        "query.stop(); await client.close();",
        "return [onBoard.length, latest.length, onBoard.every(({ object }) => object.board === board.id), ...shown];",
    )
    on_board, latest, all_on_board, in_march, dues = told
    assert latest == min(on_board, 20) > 0
    assert all_on_board
    assert in_march == sorted(in_march)
    known = [due for due in dues if due is not None]
    assert dues == sorted(known, reverse=True) + [None] * (len(dues) - len(known))


def keeps(page: Any) -> None:
    told = do(
        page, CLIENT, script(MEMORY), script(PERSIST), script(ROOM),
        "const promised = await keepLastingly(); const found = await room(); await client.close();",
        "return [client.storage.kind, promised, said.length, found.quota > found.usage];",
    )  # fmt: skip
    assert told[0] == "indexeddb"  # in a window without a profile, which is a private one
    assert told[2] == (0 if told[1] else 1)
    assert told[3]


def is_full(page: Any) -> None:
    """As where IndexedDB says so: Chromium heeds no quota that its debugger sets."""
    no_room = "() => { throw new DOMException('no room', 'QuotaExceededError'); }"
    told = do(
        page, CLIENT, script(FULL), "await client.sync(); said.length = 0;",
        "const board = (await client.collection('boards').filter({ name: 'Launch' }))[0];",
        f"const {{ put }} = IDBObjectStore.prototype; IDBObjectStore.prototype.put = {no_room};",
        "const made = await save({ board: board.id, title: 'large' }); client.start();",
        "await until(() => client.status.problem?.code === 'storage_full');",
        "const { link } = client.status; await client.stop(); IDBObjectStore.prototype.put = put;",
        "const found = await cards.filter({ title: 'large' }), left = await client.outbox();",
        "await client.close(); return [made, link, found.length, left.length, said.length];",
    )  # fmt: skip
    assert told == [None, "backing_off", 0, 0, 1]


def ends(page: Any) -> None:
    told = do(
        page,
        "said.length = 0; let isOver = true;",
        "const way = async (...asked) => isOver ? new Response('{}', { status: 401 }) : fetch(...asked);",
        "const client = await open('boards-ended', { fetch: way }); const cards = client.collection('cards');",
        script(ENDED),
        "client.start(); await until(() => client.status.link === 'auth_required');",
        "const word = said.at(-1); isOver = false; dispatchEvent(new Event('focus'));",
        "await client.waitUntilSynced(); await until(() => client.status.link === 'live');",
        "await client.close(); return word;",
    )
    assert told.startswith("Sign in again: 0")


def signs_out(page: Any) -> None:
    """Two tabs: after it the store is empty, and the other tab has left."""
    other = page.context.new_page()
    other.goto(page.url)
    before = "await client.sync(); client.start();"
    hung = script(OUT).replace('location.replace("/login/")', "(globalThis.left = true)")
    do(other, CLIENT, before, hung, "globalThis.client = client;", name="boards-out")
    told = do(
        page, CLIENT, before, hung, "const form = { submit: () => say('submitted') }; said.length = 0;",
        "await cards.create({ title: 'unsent' }); globalThis.confirm = () => false;",
        "await client.stop(); await cards.create({ title: 'unsent' }); await signOut(form); const first = said.length;",
        "globalThis.confirm = () => true; await signOut(form);",
        "return [first, said];", name="boards-out",
    )  # fmt: skip
    assert told == [0, ["submitted"]]
    other.wait_for_function("globalThis.left")
    assert (
        do(
            other,
            CLIENT,
            "const n = await cards.count(); await client.close(); return n;",
            name="boards-out",
        )
        == 0
    )
    other.close()


def settles(page: Any) -> None:
    told = do(
        page,
        "said.length = 0; const client = await open('boards-mine'); const cards = client.collection('cards');",
        "const theirs = await open('boards-theirs'); await client.sync();",
        "const board = (await client.collection('boards').filter({ name: 'Launch' }))[0];",
        "const card = await cards.create({ board: board.id, title: 'first', votes: 1, body: 'a' });",
        script(REFUSED),
        "await client.sync(); await theirs.sync();",
        "await theirs.collection('cards').update(card.id, { due: '2026-01-01' }); await theirs.sync();",
        "await cards.update(card.id, { due: '2026-02-02' }); await client.sync();",
        "const met = (await client.conflicts()).map(({ fields }) => fields);",
        "await cards.create({ board: board.id, title: 'x'.repeat(201) });",
        script(DECIDE).replace("`${server.object[name]} / ${mine[name]}`", "mine[name]"),
        "await client.sync(); await until(() => said.length === 1);",
        "const found = [met, said, await client.conflicts(), (await cards.get(card.id)).object.due];",
        "await cards.delete(card.id); await client.sync(); await client.close(); await theirs.close();",
        "return found;",
    )
    met, said, still, due = told
    assert met == [["due"]]
    assert still == []
    assert due == "2026-02-02"
    assert "You had: " in said[0]
    assert "xxx" in said[0]


def upgrades(page: Any) -> None:
    """The page's class sends its release; a 426 is refused, and what was written stays."""
    told = do(
        page,
        script(RELEASE),
        "const asked = [];",
        "const way = async (url, how) => { asked.push(how.headers['X-App-Release']);",
        "  return new Response('{\"code\": \"upgrade_required\"}', { status: 426, headers: { 'Content-Type': 'application/problem+json' } }); };",
        "const client = await open('boards-old', { fetch: way, auth: new Released({ user: 'ada' }) });",
        "await client.collection('boards').create({ name: 'kept' }); client.start();",
        "await until(() => client.status.link === 'refused'); await client.close();",
        "return [asked[0], client.status.pending];",
    )
    assert told == ["7", 1]


def is_older(page: Any) -> None:
    """A store of a later layout."""
    made = "await new Promise((done) => { const asked = indexedDB.open('django_sync later', 99);"
    made += "asked.onsuccess = () => { asked.result.close(); done(); }; });"
    told = do(
        page,
        made,
        "const client = await open('later'); await client.close(); return client.storage.kind;",
    )
    assert told == "memory"


def is_blocked(page: Any) -> None:
    forbid = "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
    told = do(
        page,
        "said.length = 0;",
        forbid,
        CLIENT,
        script(MEMORY),
        "await client.close(); return said;",
    )
    assert len(told) == 1
    assert "Nothing outlives this tab" in told[0]


# Without a browser


def test_a_release_that_is_too_old_is_answered_426() -> None:
    middleware = run(MIDDLEWARE)["release_is_known"](lambda request: HttpResponse("through"))
    ask = RequestFactory().get
    assert middleware(ask("/sync/", headers={"X-App-Release": "6"})).status_code == 426
    for headers in ({"X-App-Release": "7"}, {}):
        assert middleware(ask("/sync/", headers=headers)).content == b"through"


def test_the_other_snippets_name_what_there_is() -> None:
    """What needs a server of the reader's, or a compiler."""
    known = set(public()) | {"errors"}
    for block in (CSRF, BEARER, TYPES, NODE):
        (names,) = re.findall(r"^import \{ (.+) \} from ", block.body, re.M)
        assert {name.removeprefix("type ") for name in names.split(", ")} <= known
