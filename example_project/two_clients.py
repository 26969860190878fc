"""Two clients with two stores against `make demo`: offline edits, a conflict, an edit in the admin.

    make demo                                            # in one terminal
    .venv/bin/python example_project/two_clients.py      # in another

Ada and Grace each keep a replica on disk. It prints what happens, ends by comparing both stores
with the database, and exits with 1 where they differ. It needs the Python client and no Django: the
admin is used as a person uses it, by signing in and posting its forms. Each run makes two cards of
its own, so it can be run again.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2

from django_sync import errors
from django_sync.client import (
    Change,
    Conflict,
    Record,
    Rejection,
    Resolution,
    SyncClient,
    TokenAuth,
)

COLLECTIONS = ("boards", "labels", "cards", "comments")


def main() -> int:
    """Run the story, and return the exit status."""
    parser = argparse.ArgumentParser(description="Two clients against `make demo`.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the demo is served")
    parser.add_argument("--stores", help="a folder in which to leave both stores")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stores = Path(given.stores or folder)
        stores.mkdir(parents=True, exist_ok=True)
        ada = Person("Ada", f"{given.url}/sync/", stores)
        grace = Person("Grace", f"{given.url}/sync/", stores)
        try:
            return play(ada, grace, Admin(given.url))
        except errors.Offline as error:
            print(f"No server at {given.url} (start `make demo` first): {error}", file=sys.stderr)
            return 1
        finally:
            ada.client.close()
            grace.client.close()


def play(ada: Person, grace: Person, admin: Admin) -> int:
    """The story, step by step."""
    step("Both clients pull what their users may see, each into a store of its own")
    ada.sync()
    grace.sync()
    launch = next(iter(ada.client.collection("boards").filter(name="Launch", owner="ada")))

    step("Ada makes two cards; Grace pulls them")
    number = 1 + sum(card["title"].startswith("Inspect pump") for card in ada.cards)
    inspect = ada.cards.create({"board": launch.id, "title": f"Inspect pump {number}"})
    order = ada.cards.create({"board": launch.id, "title": f"Order bearing {number}"})
    ada.sync()
    grace.sync()

    step("Both go offline, and both go on working")
    ada.cable.plugged = grace.cable.plugged = False
    ada.says("writes “It hums.” in the body of Inspect pump, and moves Order bearing to doing")
    ada.cards.update(inspect.id, {"body": "It hums."})
    ada.cards.update(order.id, {"column": "doing"})
    grace.says("writes “It leaks.” in the same body, and sets a date for Order bearing")
    grace.cards.update(inspect.id, {"body": "It leaks."})
    grace.cards.update(order.id, {"due": "2030-05-01"})
    grace.client.collection("comments").create({"card": inspect.id, "text": "Bring a bucket."})
    ada.sync()
    grace.sync()

    step("Ada is online again, then Grace: one field was changed by both")
    ada.cable.plugged = grace.cable.plugged = True
    ada.sync()
    grace.sync()

    step("Somebody moves Inspect pump to done in Django's admin")
    admin.sign_in("admin", "admin-demo")
    admin.change(f"Inspect pump {number}", column="done")
    ada.sync()
    grace.sync()

    step("Both stores and the database")
    card = ada.cards.get(inspect.id)
    assert card is not None
    print(f"  Inspect pump {number} is {card['column']}, and says: {card['body']}")
    same = {
        "Ada's store and the database": ada.is_like_the_database(),
        "Grace's store and the database": grace.is_like_the_database(),
        "the board Launch in both stores": ada.board(launch.id) == grace.board(launch.id),
    }
    for names, equal in same.items():
        print(f"  {names}: {'equal' if equal else 'NOT EQUAL'}")
    return 0 if all(same.values()) else 1


def step(text: str) -> None:
    """Print a headline."""
    print(f"\n{text}.")


class Cable(httpx2.HTTPTransport):
    """The connection to the server, which can be unplugged."""

    plugged = True

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, or fail as without a network."""
        if not self.plugged:
            raise httpx2.ConnectError("the cable is out")
        return super().handle_request(request)


class Person:
    """Somebody with a client and its store."""

    def __init__(self, name: str, url: str, stores: Path) -> None:
        self.name, self.url = name, url
        self.cable = Cable()
        self.auth = TokenAuth(f"demo-{name.lower()}")
        store = stores / f"{name.lower()}.db"
        self.client = SyncClient(
            url, store=store, auth=self.auth, collections=COLLECTIONS, transport=self.cable
        )
        self.cards = self.client.collection("cards")
        self.client.on_conflict(self.decide)
        self.client.on_rejected(self.show_rejection)
        self.changes: list[Change] = []
        self.client.on_change()(self.changes.append)

    def says(self, text: str) -> None:
        print(f"  {self.name} {text}")

    def show_rejection(self, rejection: Rejection) -> None:
        """Print why the server refused a mutation."""
        self.says(f"is refused: {rejection.problem['detail']}")

    def decide(self, conflict: Conflict) -> Resolution | None:
        """Keep what both wrote; a program would ask its user here."""
        assert conflict.server is not None
        for field in conflict.fields:
            mine, theirs = conflict.client[field], conflict.server[field]
            self.says(f"is asked: “{field}” says “{theirs}” by now, and she wrote “{mine}”")
        body = f"{conflict.server['body']} {conflict.client['body']}"
        self.says(f"settles it as “{body}”")
        return conflict.merge({"body": body})

    def sync(self) -> None:
        """One exchange with the server, and its outcome."""
        self.changes.clear()
        try:
            counts = self.client.sync()
        except errors.Offline:
            if self.cable.plugged:
                raise
            self.says(f"is offline; {len(self.client.outbox)} mutations wait in her store")
            return
        news = [change for change in self.changes if change.origin == "remote"]
        numbers = {
            "sent": counts.sent,
            "applied": counts.applied,
            "merged": counts.merged,
            "in conflict": counts.conflicts,
            "received": len(news),
        }
        listed = ", ".join(f"{count} {what}" for what, count in numbers.items() if count)
        self.says(f"syncs: {listed or 'nothing new'}")

    def board(self, scope: str) -> list[Record]:
        """The records of one board in her store."""
        found = (r for name in COLLECTIONS for r in self.client.collection(name))
        return [record for record in found if record.scope == scope]

    def is_like_the_database(self) -> bool:
        """Whether her store holds what the server reads from its tables for her, and no more."""
        stored = {
            (name, record.id): (record.revision, record.object)
            for name in COLLECTIONS
            for record in self.client.collection(name)
        }
        self.says(f"has {len(stored)} records, {len(self.client.outbox)} mutations wait")
        return stored == dict(self.tables())

    def tables(self) -> list[tuple[tuple[str, str], tuple[int, Any]]]:
        """Every record as REST returns it, read from the tables at this moment."""
        found = []
        with httpx2.Client(headers=self.auth.headers()) as http:
            for name in COLLECTIONS:
                place: str | None = f"{self.url}{name}/"
                while place is not None:
                    page = http.get(place).raise_for_status().json()
                    place = page["next"]
                    found += [
                        ((name, r["id"]), (r["revision"], r["object"])) for r in page["results"]
                    ]
        return found


class Admin:
    """Django's admin, used over HTTP as a browser would."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, follow_redirects=True)

    def sign_in(self, username: str, password: str) -> None:
        self._submit("/admin/login/", username=username, password=password)

    def change(self, title: str, **values: str) -> None:
        """Open the card's form, alter these fields of it, and save."""
        listed = self.http.get("/admin/boards/card/", params={"q": title}).text
        links = re.findall(r'href="(/admin/boards/card/\d+/change/)[^"]*">([^<]*)</a>', listed)
        path = next(path for path, text in links if html.unescape(text) == title)
        self._submit(path, **values, _save="Save")

    def _submit(self, path: str, **values: str) -> None:
        form = Form(self.http.get(path).text)
        wanted = [(name, value) for name, value in form.values if name not in values]
        body = urlencode([*wanted, *values.items()])
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": str(self.http.base_url),
        }
        answer = self.http.post(path, content=body, headers=headers).raise_for_status()
        if "errornote" in answer.text:
            raise RuntimeError(f"The admin refused the form at {path}.")


class Form(HTMLParser):
    """The names and values that a browser would submit with a page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a field with the value that it has."""
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and "selected" in given and self._select:
            self.values.append((self._select, given.get("value", "")))
        elif tag == "textarea":
            self._area = given["name"]
            self.values.append((self._area, ""))
        elif tag == "input" and given.get("name") and is_sent(given):
            self.values.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """Leave a field that encloses its value."""
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        """Note the text of a text area; its first line break is the browser's."""
        if self._area:
            name, before = self.values.pop()
            self.values.append((name, before + (data if before else data.removeprefix("\n"))))


def is_sent(given: dict[str, str]) -> bool:
    """Whether a browser submits this input: no button, and no box that is not ticked."""
    kind = given.get("type", "text")
    return kind != "submit" and (kind not in ("checkbox", "radio") or "checked" in given)


if __name__ == "__main__":
    sys.exit(main())
