"""The pages about the client in the background and on the command line, against servers at hand."""

from __future__ import annotations

import functools
import re
import shlex

import httpx2
import pytest
from rest_framework.authtoken.models import Token

from django_sync import client as client_module
from django_sync.client import Pace, SyncClient, TokenAuth
from django_sync.client import __main__ as cli
from django_sync.client.terminal import Terminal
from django_sync.testing.clocks import ManualWaker, until
from django_sync.testing.server import MemoryServer
from example_project.boards.models import Card
from tests.integration.conftest import in_process
from tests.integration.phone import Phone

from .howto import page, run, snippets

PROGRAM, HINTS = snippets("background")
(SHELL,) = snippets("command-line")


@pytest.fixture
def server():
    server = MemoryServer(["cards"])
    server.user("ada", token="demo-ada")
    server.transports = ["long-poll", "poll"]
    return server


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """What the pages write stands in the working directory."""
    monkeypatch.chdir(tmp_path)


def test_the_program_stays_in_step_and_says_so(server, monkeypatch):
    monkeypatch.setenv("TOKEN", "demo-ada")
    here = functools.partial(SyncClient, transport=server.transport())
    monkeypatch.setattr(client_module, "SyncClient", here)
    server.put("cards", {"title": "Old"})
    lines: list[str] = []
    space = run(PROGRAM, print=lambda *words: lines.append(" ".join(map(str, words))))
    with space["client"] as client:
        until(lambda: "created Old" in lines, "what was there is told")
        until(lambda: "live 0 waiting to be sent" in lines, "the link is told")
        new = server.put("cards", {"title": "New"})
        until(lambda: "created New" in lines, "what comes is told")
        client.collection("cards").update(new, {"title": "Mine"})
        until(lambda: server.object("cards", new) == {"title": "Mine"}, "what is written is sent")
        assert "live 1 waiting to be sent" in lines


def test_the_program_may_tell_what_it_knows(server):
    told, waker = run(HINTS), ManualWaker()
    with SyncClient(
        "https://example.org/sync/",
        store="field.db",
        auth=TokenAuth("demo-ada"),
        collections=["cards"],
        transport=server.transport(),
        waker=waker,
        pace=Pace(uniform=lambda low, high: 1.0),
    ) as client:
        client.start()
        server.held.wait()
        told["network_changed"](client, is_up=True, is_metered=True)
        assert waker.asleep() == 300.0
        told["network_changed"](client, is_up=False, is_metered=True)
        until(lambda: client.status.link == "offline", "it knows that there is no network")
        told["network_changed"](client, is_up=True, is_metered=False)
        server.held.wait()
        told["window_hidden"](client)
        assert waker.asleep() == 300.0


# On the command line


@pytest.fixture
def environment(monkeypatch):
    """What the page has exported."""
    exported, _ = SHELL.body.splitlines()
    for pair in shlex.split(exported)[1:]:
        monkeypatch.setenv(*pair.split("=", 1))


def rows(head: str) -> list[list[str]]:
    """The cells of the table on the page that begins with this head."""
    table = page("command-line").split(f"| {head} | |\n| --- | --- |\n")[1].split("\n\n")[0]
    return [row.strip("| ").split(" | ") for row in table.splitlines()]


def test_watch_tells_of_each_change_and_of_the_link(server, environment, monkeypatch, capsys):
    python, dash, module, *words = shlex.split(SHELL.body.splitlines()[1])
    assert [python, dash, module] == ["python", "-m", "django_sync.client"]
    seen: list[str] = []

    def shown(text):
        def found():
            seen.append(capsys.readouterr().out)
            return text in "".join(seen)

        until(found, text)

    def story(terminal):
        shown("live")
        id = server.put("cards", {"title": "Here"})
        shown(f"+ cards {id}")
        server.put("cards", {"title": "Other"}, id=id)
        shown(f"~ cards {id}")
        server.faults.append(cut)
        server.delete("cards", id)
        shown("offline")
        shown("again at")
        server.faults.clear()
        shown(f"− cards {id}")
        seen.append("watched to the end")

    monkeypatch.setattr(Terminal, "wait", story)
    assert cli.main(words, server.transport()) == cli.DONE
    assert seen[-1] == "watched to the end"


def cut(request):
    raise httpx2.ConnectError("no route")


def test_each_command_does_what_is_said(environment, people, card, capsys):
    """Against the example, whose cards the page names."""
    Token.objects.create(user=people.ada, key="demo-ada")
    told = {re.findall(r"`(\w+)", cells[0])[0]: cells for cells in rows("command")}
    assert set(told) == set(cli.COMMANDS)
    other, board = Phone(people.grace), str(people.launch.sync_id)

    with in_process() as transport:

        def do(command, id="", part=0):
            """One of the commands in a row, with an id for the one that the page leaves out."""
            words = re.findall(r"`([^`]+)`", " ".join(told[command]))[part]
            words = words.replace("… client", "conflicts 0192… client")
            status = cli.main(shlex.split(words.replace("0192…", id)), transport)
            return status, capsys.readouterr().out

        def clash(theirs):
            """The page's update meets another's."""
            row = Card.objects.get(sync_id=id)
            assert other.one(other.update(row, title=theirs)).status == "applied"
            return do("update", id)[0]

        assert do("pull")[0] == cli.DONE
        assert str(card.sync_id) in do("show")[1]
        assert do("create", board)[0] == cli.DONE
        id = str(Card.objects.get(title="Check pump 7").sync_id)
        assert clash("Theirs") == cli.REFUSED
        assert f"on cards {id}" in do("conflicts")[1]
        assert do("conflicts", id, part=1)[0] == cli.DONE
        assert Card.objects.get(sync_id=id).title == "Theirs"
        assert clash("Theirs still") == cli.REFUSED
        assert do("conflicts", id, part=2)[0] == cli.DONE
        assert Card.objects.get(sync_id=id).title == "Other"
        assert "0 to send, 0 in conflict" in do("status")[1]
        assert do("delete", id)[0] == cli.DONE
        assert not Card.objects.filter(sync_id=id).exists()


def test_a_value_is_json_where_it_reads_as_such():
    (about,) = [cells[1] for cells in rows("command") if "create" in cells[0]]
    typed = re.findall(r"`(\w+=\w+)`", about)
    asked = cli.parser().parse_args(["create", "cards", "title=Check", *typed])
    assert cli.fields(asked) == {"title": "Check", "votes": 3, "due": None}


def test_each_exit_status_is_as_said(environment, server, capsys):
    said = {int(status): about for status, about in rows("exit status")}
    assert cli.main(["pull"], server.transport()) == cli.DONE
    assert cli.main(["update", "cards", "nothing", "title=x"], server.transport()) == cli.REFUSED
    with pytest.raises(SystemExit) as ended:
        cli.main(["dance"])
    assert ended.value.code == cli.main(["create", "cards", "title"]) == cli.USAGE
    server.faults.append(cut)
    assert cli.main(["create", "cards", "title=Kept"], server.transport()) == cli.OFFLINE
    capsys.readouterr()
    assert cli.main(["status"], server.transport()) == cli.DONE
    assert "1 to send" in capsys.readouterr().out
    assert set(said) == {cli.DONE, cli.REFUSED, cli.USAGE, cli.OFFLINE}
