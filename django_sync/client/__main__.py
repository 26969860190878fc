"""``python -m django_sync.client``: a client on the command line, over a store on disk.

The commands and their output. The client itself is ``SyncClient``; nothing here knows the
protocol. Exit status: 0 done, 1 refused or in conflict, 2 wrong usage, 3 offline (local writes
are kept, and the next command sends them).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import httpx2

from .. import errors
from .auth import Auth, BasicAuth, TokenAuth
from .client import SyncClient
from .store.database import Store
from .terminal import Terminal

DONE, REFUSED, USAGE, OFFLINE = 0, 1, 2, 3
KEY = "collections"
"""The key under which the store remembers what to sync."""


class Usage(Exception):
    """The command makes no sense; the text says why."""


def main(argv: Sequence[str] | None = None, transport: httpx2.BaseTransport | None = None) -> int:
    """Run one command; return its exit status. ``transport`` is httpx2's, for tests."""
    asked = parser().parse_args(argv)
    terminal = Terminal(sys.stdout, as_json=asked.json, color=None if asked.color else False)
    try:
        with opened(asked, transport) as client:
            return int(COMMANDS[asked.command](client, asked, terminal))
    except Usage as problem:
        terminal.fail("usage", str(problem))
        return USAGE
    except errors.Offline as problem:
        terminal.fail(problem.code, f"The server cannot be reached: {problem.detail}")
        return OFFLINE
    except errors.SyncError as problem:
        terminal.fail(problem.code, problem.detail)
        return REFUSED
    except KeyboardInterrupt:
        return DONE


def parser() -> argparse.ArgumentParser:
    """The command line."""
    env = os.environ.get
    top = argparse.ArgumentParser(
        prog="python -m django_sync.client",
        description="Keep a replica on disk in sync with a server, and write to it.",
        epilog="Each option may stand in the environment: DJANGO_SYNC_URL, DJANGO_SYNC_TOKEN, "
        "DJANGO_SYNC_USER, DJANGO_SYNC_PASSWORD, DJANGO_SYNC_STORE.",
    )
    top.add_argument("--url", default=env("DJANGO_SYNC_URL"), help="where django_sync is mounted")
    top.add_argument("--store", default=env("DJANGO_SYNC_STORE", "sync.db"), help="a file")
    top.add_argument("--token", default=env("DJANGO_SYNC_TOKEN"), help="a token of DRF's")
    top.add_argument("--user", default=env("DJANGO_SYNC_USER"), help="with DJANGO_SYNC_PASSWORD")
    top.add_argument("--collections", help="with commas; all that the user may read without it")
    top.add_argument("--json", action="store_true", help="one JSON object a line")
    top.add_argument("--no-color", dest="color", action="store_false", help="plain text")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("pull", help="send local writes, fetch what is new")
    commands.add_parser("watch", help="stay in sync, and print each change, until Ctrl-C")
    commands.add_parser("status", help="what is to be sent, what is in conflict")
    show = commands.add_parser("show", help="the records of a collection")
    create = commands.add_parser("create", help="create an object")
    update = commands.add_parser("update", help="change fields of an object")
    delete = commands.add_parser("delete", help="delete an object")
    for command in (show, create, update, delete):
        command.add_argument("collection")
    for command in (update, delete):
        command.add_argument("id")
    for command in (show, create, update):
        command.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="JSON, or text")
    show.epilog = "Bounds are written FIELD__gt, __gte, __lt or __lte, such as due__lt=2026-03-01."
    show.add_argument("--order-by", metavar="FIELD", help="order by FIELD; -FIELD is the reverse")
    show.add_argument("--limit", type=int, help="show at most this many records")
    settle = commands.add_parser("conflicts", help="list open conflicts, or settle one")
    settle.add_argument("id", nargs="?", help="the object's")
    settle.add_argument("keep", nargs="?", choices=["server", "client"], help="whose version")
    return top


def opened(asked: argparse.Namespace, transport: httpx2.BaseTransport | None) -> SyncClient:
    """The client that the options describe; the store remembers URL and collections."""
    store = Store(asked.store)
    try:
        url = asked.url or store.text("url")
        if url is None:
            raise Usage("Name the server: --url https://example.org/sync/")
        url, auth = url.rstrip("/") + "/", credentials(asked)
        names = (asked.collections or "").split(",") if asked.collections else store.get(KEY)
        if not isinstance(names, list) or not names:
            names = offered(url, auth, transport)
        store.set(KEY, names)
        asked.names = names
    finally:
        store.close()
    return SyncClient(url, store=asked.store, auth=auth, collections=names, transport=transport)


def credentials(asked: argparse.Namespace) -> Auth | None:
    """Token, or user and password."""
    if asked.token:
        return TokenAuth(asked.token)
    if asked.user:
        return BasicAuth(asked.user, os.environ.get("DJANGO_SYNC_PASSWORD", ""))
    return None


def offered(url: str, auth: Auth | None, transport: httpx2.BaseTransport | None) -> list[str]:
    """The collections that the server lets this user read."""
    headers = {"Accept": "application/json", **(auth.headers() if auth else {})}
    try:
        with httpx2.Client(transport=transport, headers=headers, timeout=30) as http:
            answer = http.get(url)
            document = answer.json()
    except (httpx2.TransportError, ValueError) as error:
        raise errors.Offline(f"{url}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("collections"), dict):
        if isinstance(document, dict) and document.get("code") in errors.BY_CODE:
            raise errors.from_problem(document)
        raise errors.Offline(f"{url} is not a django_sync server.")
    return sorted(document["collections"])


def fields(asked: argparse.Namespace) -> dict[str, Any]:
    """``FIELD=VALUE`` pairs; a value is JSON if it can be read as JSON, else the text itself."""
    found: dict[str, Any] = {}
    for pair in asked.fields:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise Usage(f"“{pair}” is not FIELD=VALUE.")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


# The commands


def pull(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """One full exchange."""
    terminal.attach(client, quiet=True)
    counts = client.sync()
    terminal.counts(counts)
    return REFUSED if counts.rejected or client.status.conflicts else DONE


def watch(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """Stay in sync until interrupted."""
    terminal.attach(client)
    terminal.status(client.status)
    client.start()
    terminal.wait()
    return DONE


def status(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """The content of the store, without asking the server."""
    sizes = {name: len(client.collection(name)) for name in asked.names}
    terminal.summary(client.status, sizes)
    return DONE


def show(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """Records as the replica has them."""
    # A field may have the name of a parameter of filter().
    wanted = {
        f"{name}__exact" if name in ("limit", "order_by") else name: value
        for name, value in fields(asked).items()
    }
    found = client.collection(asked.collection).filter(
        order_by=asked.order_by, limit=asked.limit, **wanted
    )
    for record in found:
        terminal.record(record)
    return DONE


def create(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """Create, and send."""
    record = client.collection(asked.collection).create(fields(asked))
    return _send(client, terminal, record.id)


def update(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """Change, and send."""
    client.collection(asked.collection).update(asked.id, fields(asked))
    return _send(client, terminal, asked.id)


def delete(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """Delete, and send."""
    client.collection(asked.collection).delete(asked.id)
    return _send(client, terminal, asked.id)


def _send(client: SyncClient, terminal: Terminal, id: str) -> int:
    """Send what the store has kept by now, and print the result."""
    terminal.written(id)
    return pull(client, argparse.Namespace(), terminal)


def conflicts(client: SyncClient, asked: argparse.Namespace, terminal: Terminal) -> int:
    """List the open conflicts, or settle the one on an object."""
    found = [c for c in client.conflicts if asked.id in (None, c.id)]
    if asked.id is not None and not found:
        raise Usage(f"There is no open conflict on {asked.id}.")
    if asked.keep is None:
        for conflict in found:
            terminal.conflict(conflict)
        return DONE
    for conflict in found:
        kept = conflict.keep_server() if asked.keep == "server" else conflict.keep_client()
        conflict.settle(kept)
    return pull(client, asked, terminal)


COMMANDS = {
    "pull": pull,
    "watch": watch,
    "status": status,
    "show": show,
    "create": create,
    "update": update,
    "delete": delete,
    "conflicts": conflicts,
}


if __name__ == "__main__":
    sys.exit(main())
