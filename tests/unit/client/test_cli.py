"""The command line: what it prints, what it keeps, and its exit status."""

from __future__ import annotations

import io
import json
import threading
from types import SimpleNamespace

import pytest

from django_sync.client import __main__ as cli
from django_sync.client.terminal import Terminal
from django_sync.testing.server import MemoryServer

URL = "https://sync.test/sync/"


@pytest.fixture
def server():
    server = MemoryServer(["cards"])
    server.user("ann", token="t-ann", scopes={"b1"})
    server.user("bob", token="t-bob", scopes={"b1"})
    return server


@pytest.fixture
def run(server, tmp_path, capsys):
    """Runs a command of Ann's; its exit status and what it printed."""

    def run(*words, token="t-ann", store="ann.db", json_lines=False, **options):
        argv = ["--url", URL, "--store", str(tmp_path / store), "--token", token, *words]
        status = cli.main(["--json", *argv] if json_lines else argv, server.transport(**options))
        text = capsys.readouterr().out
        return status, [json.loads(line) for line in text.splitlines()] if json_lines else text

    return run


def test_create_pull_show(run):
    status, text = run("create", "cards", "board=b1", "title=Check pump 7", "votes=3")
    assert status == cli.DONE
    assert "1 sent, 1 applied" in text
    assert run("pull", token="t-bob", store="bob.db")[0] == cli.DONE
    _, (record,) = run("show", "cards", token="t-bob", store="bob.db", json_lines=True)
    assert record["object"] == {"board": "b1", "title": "Check pump 7", "votes": 3}
    assert record["revision"] == 1


def test_update_and_delete(run):
    _, printed = run("create", "cards", "board=b1", "title=Old", json_lines=True)
    id = printed[0]["id"]
    assert run("update", "cards", id, "title=New")[0] == cli.DONE
    assert 'title="New"' in run("show", "cards")[1]
    assert run("delete", "cards", id)[0] == cli.DONE
    assert run("show", "cards")[1] == ""


def test_show_compares_orders_and_limits(run):
    for n, limit in ((1, 7), (2, 8), (3, 7)):
        run("create", "cards", "board=b1", f"n={n}", f"limit={limit}")

    def shown(*words):
        status, records = run("show", "cards", *words, json_lines=True)
        return status, [record["object"]["n"] for record in records]

    assert shown("n__gte=2", "--order-by=-n") == (cli.DONE, [3, 2])
    assert shown("--order-by", "n", "--limit", "1") == (cli.DONE, [1])
    assert shown("limit=7", "--order-by", "n") == (cli.DONE, [1, 3])
    assert run("show", "cards", "n__about=2")[0] == cli.REFUSED


def offline(request):
    import httpx2

    raise httpx2.ConnectError("no route")


def test_what_is_written_offline_is_kept_and_sent_later(run, server):
    run("pull")
    server.faults.append(offline)
    status, text = run("create", "cards", "board=b1", "title=Kept")
    assert status == cli.OFFLINE
    assert "kept" in text
    assert "cannot be reached" in text
    assert "1 to send" in run("status")[1]
    server.faults.clear()
    status, text = run("pull")
    assert (status, "1 applied" in text) == (cli.DONE, True)
    assert "0 to send" in run("status")[1]


def test_the_store_remembers_where_and_what(server, run, tmp_path, capsys):
    run("create", "cards", "board=b1", "title=One")
    server.faults.append(offline)
    status = cli.main(["--store", str(tmp_path / "ann.db"), "show", "cards"], server.transport())
    assert (status, "One" in capsys.readouterr().out) == (cli.DONE, True)


def test_a_conflict_is_shown_and_settled(run):
    _, printed = run("create", "cards", "board=b1", "title=Old", json_lines=True)
    id = printed[0]["id"]
    run("pull", token="t-bob", store="bob.db")
    run("update", "cards", id, "title=Mine")
    status, text = run("update", "cards", id, "title=Yours", token="t-bob", store="bob.db")
    assert status == cli.REFUSED
    assert 'title (was "Old"): theirs "Mine", yours "Yours"' in text
    status, text = run("conflicts", token="t-bob", store="bob.db")
    assert (status, id in text) == (cli.DONE, True)
    assert run("conflicts", id, "client", token="t-bob", store="bob.db")[0] == cli.DONE
    run("pull")
    assert 'title="Yours"' in run("show", "cards")[1]
    status, text = run("conflicts", id, "client")
    assert (status, "no open conflict" in text) == (cli.USAGE, True)


def test_what_the_server_refuses_is_printed(run, server):
    server.users["t-ann"].read_only = True
    status, printed = run("create", "cards", "board=b1", "title=No", json_lines=True)
    assert status == cli.REFUSED
    assert [body["event"] for body in printed] == ["written", "rejected", "synced"]
    assert printed[1]["problem"]["code"] == "permission_denied"


@pytest.mark.parametrize(
    ("words", "status", "printed"),
    [
        (["create", "cards", "title"], cli.USAGE, "not FIELD=VALUE"),
        (["create", "nothing", "title=x"], cli.REFUSED, "nothing"),
        (["update", "cards", "no-such-id", "title=x"], cli.REFUSED, "no-such-id"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(run, words, status, printed):
    found, text = run(*words)
    assert (found, printed in text) == (status, True)


def test_without_a_url_it_asks_for_one(tmp_path, capsys):
    status = cli.main(["--store", str(tmp_path / "new.db"), "pull"])
    assert (status, "--url" in capsys.readouterr().out) == (cli.USAGE, True)


def test_a_token_that_is_not_taken(run):
    status, text = run("pull", token="wrong")
    assert (status, "\x1b" in text) == (cli.REFUSED, False)


def test_another_users_store_is_refused(run):
    run("pull")
    assert run("pull", token="t-bob")[0] == cli.REFUSED


class Screen(io.StringIO):
    """Collects what is printed, and wakes a thread that waits for a text."""

    def __init__(self):
        super().__init__()
        self.grown = threading.Condition()

    def write(self, text):
        with self.grown:
            written = super().write(text)
            self.grown.notify_all()
            return written

    def until(self, text):
        with self.grown:
            assert self.grown.wait_for(lambda: text in self.getvalue(), 20), self.getvalue()


def test_watch_tells_of_changes_and_of_the_link(run, server, tmp_path):
    """Each change as it comes; the link's troubles and their end."""
    run("create", "cards", "board=b1", "title=Old", token="t-bob", store="bob.db")
    argv = ["--url", URL, "--store", str(tmp_path / "ann.db"), "--token", "t-ann", "watch"]
    asked = cli.parser().parse_args(argv)
    screen = Screen()
    terminal = Terminal(screen, color=False)
    over = threading.Event()
    terminal.wait = over.wait
    with cli.opened(asked, server.transport()) as client:
        watching = threading.Thread(target=cli.watch, args=(client, asked, terminal))
        watching.start()
        screen.until("live")
        screen.until('title: "Old"')
        server.faults.append(offline)
        client.network(online=True)
        screen.until("offline")
        server.faults.clear()
        client.network(online=True)
        server.put("cards", {"board": "b1", "title": "New"}, scope="b1")
        client.network(online=True)
        screen.until('title: "New"')
        over.set()
        watching.join()


def test_nothing_that_is_shown_steers_the_terminal():
    screen = io.StringIO()
    evil = "\x1b]0;owned\x07\u202e"
    Terminal(screen, color=False).fail("x", evil)
    record = SimpleNamespace(
        collection="cards", id="1", revision=1, scope="", object={}, items=lambda: [("t", evil)]
    )
    Terminal(screen, color=False).record(record)
    assert not set(screen.getvalue()) & {"\x1b", "\x07", "\u202e"}


def test_colours_are_for_terminals_that_want_them(monkeypatch):
    class Tty(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    screen = Tty()
    Terminal(screen).fail("x", "no")
    assert "\x1b[31m" in screen.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Tty()
    Terminal(plain).fail("x", "no")
    assert "\x1b" not in plain.getvalue()
