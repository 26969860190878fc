"""F5: what records depend on besides their rows: real clients follow, and keep nothing hidden.

The code is that of ``tests/access_app``, as docs/howto/server/access.md has it.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_sync.client import SyncClient, TokenAuth
from tests.access_app import registered
from tests.access_app.models import Article, Magazine, Product, Review
from tests.integration.conftest import in_process
from tests.integration.test_registry import api, sent

NAMES = ("articles", "products", "reviews")
Connect = Callable[[User], SyncClient]


@pytest.fixture
def ada(db: None, as_it_was: None) -> User:
    registered.register_all()
    return User.objects.create_user("ada")


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """A client of a user; a second call opens the same store again."""
    opened: list[SyncClient] = []

    def connect(user: User) -> SyncClient:
        client = SyncClient(
            "http://testserver/sync/",
            store=tmp_path / f"{user.username}.sqlite3",
            collections=NAMES,
            auth=TokenAuth(Token.objects.get_or_create(user=user)[0].key),
            transport=transport,
        )
        opened.append(client)
        return client

    with in_process() as transport:
        yield connect
    for client in opened:
        client.close()


def shown(client: SyncClient, collection: str) -> list[dict[str, Any]]:
    """The objects of a collection after a sync, without their order."""
    client.sync()
    return sorted((dict(r.object) for r in client.collection(collection).all()), key=repr)


def titles(client: SyncClient) -> list[str]:
    return [found["title"] for found in shown(client, "articles")]


def on_disk(client: SyncClient, folder: Path, text: str) -> bool:
    """Whether a text is in any of the files of the closed client."""
    client.close()
    return any(text.encode() in file.read_bytes() for file in folder.iterdir() if file.is_file())


# Time


@pytest.fixture
def magazine(ada: User) -> Magazine:
    magazine = Magazine.objects.create()
    magazine.readers.add(ada)
    return magazine


def article(magazine: Magazine, title: str, hours: int, **more: Any) -> Article:
    at = timezone.now() + datetime.timedelta(hours=hours)
    return Article.objects.create(magazine=magazine, title=title, publish_at=at, **more)


def test_f5_an_article_comes_when_its_time_has_come(ada, magazine, connect, tmp_path):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        article(magazine, "Out", -1)
        article(magazine, "Soon", 1)
        article(magazine, "Later", 2)
        client = connect(ada)
        assert titles(client) == ["Out"]
        clock.shift(datetime.timedelta(minutes=59))
        assert client.sync().changes == 0, "time passed, and nothing came of it"
        assert titles(client) == ["Out"]
        assert not on_disk(client, tmp_path, "Soon")
        client = connect(ada)
        clock.shift(datetime.timedelta(minutes=2))
        assert titles(client) == ["Out", "Soon"]
        clock.shift(datetime.timedelta(days=1))
        assert titles(client) == ["Later", "Out", "Soon"]
        assert client.sync().changes == 0


def test_f5_what_is_put_off_by_hand_leaves(ada, magazine, connect, tmp_path):
    """The newest goes: the text falls back to an earlier one, and the feed tells of the row."""
    article(magazine, "Out", -2)
    newest = article(magazine, "Too early", -1)
    client = connect(ada)
    assert titles(client) == ["Out", "Too early"]
    Article.objects.filter(pk=newest.pk).update(
        publish_at=timezone.now() + datetime.timedelta(days=1)
    )
    assert titles(client) == ["Out"]
    assert not on_disk(client, tmp_path, "Too early")


def test_f5_time_during_a_snapshot(ada, magazine, connect, settings):
    """The moment comes between two pages, when the places of the articles have been passed."""
    settings.DJANGO_SYNC = {"PAGE_SIZE": 2}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(5):
            article(magazine, f"Out {number}", -1)
            article(magazine, f"Soon {number}", 1, sync_id=uuid.UUID(int=number))
        client = connect(ada)
        asked = []

        def late(request: httpx2.Request) -> None:
            asked.append(request)
            if len(asked) == 4:
                clock.shift(datetime.timedelta(hours=1))

        client._network._http.event_hooks["request"].append(late)
        client.sync()
        assert len(asked) > 4
        assert len(titles(client)) == 10


# Roles


PRICE = "31.41"


@pytest.fixture
def product(ada: User) -> Product:
    return Product.objects.create(name="Pump", price=PRICE)


def staff(user: User, value: bool) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=value)


def test_f5_a_field_for_staff_comes_and_goes_with_the_role(ada, product, connect, tmp_path):
    grace = User.objects.create_user("grace", is_staff=True)
    staff(ada, True)
    client, other = connect(ada), connect(grace)
    for one in (client, other):
        assert shown(one, "products") == [{"name": "Pump", "price": PRICE}]
    other.close()
    assert on_disk(client, tmp_path, PRICE)
    (tmp_path / "grace.sqlite3").rename(tmp_path.parent / "grace.sqlite3")

    staff(ada, False)
    client = connect(ada)
    assert shown(client, "products") == [{"name": "Pump"}]
    assert not on_disk(client, tmp_path, PRICE)
    (tmp_path.parent / "grace.sqlite3").rename(tmp_path / "grace.sqlite3")
    other = connect(grace)
    assert other.sync().changes == 0, "whose role has not changed hears nothing of it"
    assert shown(other, "products") == [{"name": "Pump", "price": PRICE}]

    staff(ada, True)
    client = connect(ada)
    assert shown(client, "products") == [{"name": "Pump", "price": PRICE}]
    assert client.sync().changes == 0


def test_f5_a_hidden_field_shows_by_no_other_way(ada, product, connect):
    staff(ada, False)
    ada.refresh_from_db()
    client = connect(ada)
    client.sync()
    product.price = "99.99"
    product.save()
    assert shown(client, "products") == [{"name": "Pump"}]
    path = f"/sync/products/{product.sync_id}/"
    for answer in (api(ada).get(path), api(ada).get("/sync/products/")):
        assert "price" not in answer.text
    history = api(ada).get(f"{path}history/").json()["results"]
    assert [entry["fields"] for entry in history] == [[], []]
    told = sent(ada, "update", "products", product.sync_id, 2, price="0.01")
    assert told["problem"]["errors"]["price"][0]["code"] == "unknown"
    assert "99.99" not in repr(told)
    product.name = "Valve"
    product.save()
    told = sent(ada, "update", "products", product.sync_id, 2, name="Hose")
    assert told["status"] == "conflict"
    assert "price" not in repr(told)


def test_f5_a_tag_is_that_of_what_was_seen(ada, product):
    """If-None-Match with the tag of a record without its price is no answer to staff."""
    path = f"/sync/products/{product.sync_id}/"
    before = api(ada).get(path)["ETag"]
    staff(ada, True)
    answer = api(ada).get(path, HTTP_IF_NONE_MATCH=before)
    assert (answer.status_code, answer.json()["object"]["price"]) == (200, PRICE)


# Names of others


def test_f5_a_renamed_author_shows_in_each_review(ada, product, connect):
    grace = User.objects.create_user("grace")
    for author in (ada, grace, grace):
        Review.objects.create(product=product, author=author, text="Good")
    client = connect(ada)
    assert [found["author"] for found in shown(client, "reviews")] == ["ada", "grace", "grace"]
    heard: list[str] = []
    client.on_change("reviews")(lambda change: heard.append(change.id))
    grace.username = "amazing-grace"
    grace.save()
    assert [f["author"] for f in shown(client, "reviews")] == ["ada"] + ["amazing-grace"] * 2
    assert len(heard) == 2
    grace.last_login = timezone.now()
    grace.save()
    assert client.sync().changes == 0, "a login renames nobody"
