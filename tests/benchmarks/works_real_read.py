"""First pulls as applications have them, against plain DRF lists of the same serializers.

    python -m tests.benchmarks.works_real_read NUMBER PAIRS

is the part with the example's viewsets, in a process of its own with the example's settings; it
prints what both sides cost.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.benchmarks.first_pull import MIGRATE, ROOT, database, environment, run
from tests.benchmarks.measure import Cost, Line, in_turn, say, stay_connected
from tests.benchmarks.web import CURSOR, Browser

PAGE = 1000
AGAINST = "plain DRF list, the same serializer"
AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
RECORD = b'"revision":'
"""Occurs once in each record of a page, and in no field's name."""


def pulled(browser: Browser, collection: str) -> int:
    """Records of a first pull."""
    count, place, more = 0, "", True
    while more:
        path = f"/sync/changes/?collections={collection}&limit={PAGE}{place}"
        page = browser.call("GET", path)
        found = CURSOR.search(page)
        assert found, page[:300]
        place, more = f"&cursor={quote(found.group(1).decode())}", b'"has_more":true' in page
        count += page.count(RECORD)
    return count


def lister(viewset: type[Any], token: str) -> Callable[[], int]:
    """All pages of the viewset's own list, by its own serializer and queryset."""
    from rest_framework.pagination import CursorPagination
    from rest_framework.test import APIRequestFactory

    class Pages(CursorPagination):
        page_size = PAGE
        ordering = "pk"

    plain: Any = type("Plain", (viewset,), {"pagination_class": Pages})
    view = plain.as_view({"get": "list"})
    factory = APIRequestFactory()

    def listed() -> int:
        count, address = 0, "/plain/"
        while address:
            answer = view(factory.get(address, HTTP_AUTHORIZATION=f"Token {token}")).render()
            assert answer.status_code == 200, answer.content[:300]
            count, address = count + len(answer.data["results"]), answer.data["next"]
        return count

    return listed


def measured(viewset: type[Any], collection: str, number: int, pairs: int) -> tuple[Cost, Cost]:
    """The plain list and the first pull, one after the other."""
    browser, listed = Browser("real"), lister(viewset, "real")

    def check(found: int) -> None:
        assert found == number, (collection, found, number)

    return in_turn(lambda: check(listed()), lambda: check(pulled(browser, collection)), pairs)


# Shapes


def fill(number: int) -> None:
    """Create ``number`` of each shape, all sequenced."""
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token

    from django_sync.feed import sequencer
    from tests.benchmarks.shapes import models

    Token.objects.create(user=User.objects.create_user("real"), key="real")
    values: dict[str, Any] = {"text": "lorem ipsum", "number": 7, "amount": "12.50", "flag": True}
    values |= {"day": AT.date(), "at": AT}
    row = {name: values[name.partition("_")[0]] for name in models.COLUMNS}
    _bulk(models.Wide, (models.Wide(room="real", **row) for _ in range(number)))
    # Twenty children each: the first pages hold parents of the later ones.
    parents: list[Any] = []
    for n in range(number):
        if n % 20 == 0:
            parents.append(models.Branch(room="real", name=f"n{n}", parent=(parents or [None])[-1]))
    for parent in parents:
        parent.save()
    rest = number - len(parents)
    leaves = (
        models.Branch(room="real", name=f"leaf {n}", parent=parents[n // 20]) for n in range(rest)
    )
    _bulk(models.Branch, leaves)
    topics = _bulk(models.Topic, (models.Topic(room="real", name=f"t{n}") for n in range(20)))
    made = (models.Article(room="real", title=f"a{n}", body="b" * 140) for n in range(number))
    articles = _bulk(models.Article, made)
    through: Any = models.Article.topics.through
    links = (
        through(article=article, topic=topics[(n + k) % 20])
        for n, article in enumerate(articles)
        for k in range(3)
    )
    _bulk(through, links)
    region = models.Region.objects.create(name="real")
    sites = _bulk(models.Site, (models.Site(region=region, name=f"s{n}") for n in range(10)))
    devices = _bulk(
        models.Device, (models.Device(site=sites[n % 10], name=f"d{n}") for n in range(100))
    )
    readings = (models.Reading(device=devices[n % 100], value=n / 7, at=AT) for n in range(number))
    _bulk(models.Reading, readings)
    sequencer.sequence()


def _bulk(model: Any, rows: Iterator[Any]) -> list[Any]:
    made: list[Any] = model.objects.bulk_create(list(rows), batch_size=200)
    return made


def shapes(number: int, pairs: int) -> Iterator[Line]:
    from django.db import connection

    from tests.benchmarks.shapes import api

    say(f"{number:,} records of each shape")
    fill(number)
    each = (
        ("60 columns", api.WideViewSet, "wide"),
        ("a tree", api.BranchViewSet, "branches"),
        ("many-to-many, 3 each", api.ArticleViewSet, "articles"),
        ("a scope three hops away", api.ReadingViewSet, "readings"),
    )
    for what, viewset, collection in each:
        say(f"first pull, {what}")
        costs = measured(viewset, collection, number, pairs)
        name = f"first pull, {what}"
        yield Line(connection.vendor, name, number, "record", AGAINST, *costs, None)


# The example


def example(number: int, pairs: int) -> Iterator[Line]:
    say(f"first pull, the example's viewsets, {number:,} cards")
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder))
        if not env["DATABASE_URL"].startswith("postgres"):
            env["DATABASE_URL"] = f"sqlite:///{folder}/example.sqlite3"
        with database(env):
            run(MIGRATE, env)
            argv = [sys.executable, "-m", "tests.benchmarks.works_real_read"]
            argv += [str(number), str(pairs)]
            process = subprocess.run(argv, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for found in json.loads(process.stdout):
        costs = Cost(**found["base"]), Cost(**found["ours"])
        name = f"first pull, the example's {found['collection']}"
        yield Line(found["database"], name, found["n"], "record", AGAINST, *costs, None)


def of_example(number: int, pairs: int) -> Iterator[dict[str, Any]]:
    """Both sides, in the example's process."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection
    from rest_framework.authtoken.models import Token

    from django_sync.feed import sequencer
    from example_project.boards import api
    from example_project.boards.models import Board, Card, Label

    stay_connected()
    settings.ALLOWED_HOSTS = ["*"]
    Board.objects.all().delete()  # The demo's, which the migrations have made.
    user = User.objects.create_user("real")
    Token.objects.create(user=user, key="real")
    boards = max(1, number // 10)
    made = [Board.objects.create(name=f"Board {n}", owner=user) for n in range(boards)]
    labels = [
        [Label.objects.create(board=board, name=f"l{n}", color="#123456") for n in range(3)]
        for board in made
    ]
    cards = _bulk(
        Card,
        (Card(board=made[n % boards], title=f"Card {n}", body="b" * 160) for n in range(number)),
    )
    through: Any = Card.labels.through
    links = (
        through(card=card, label=label)
        for n, card in enumerate(cards)
        if n % 4 == 0
        for label in labels[n % boards][:2]
    )
    _bulk(through, links)
    sequencer.sequence()
    for collection, viewset, n in (
        ("boards", api.BoardViewSet, boards),
        ("cards with labels", api.CardViewSet, number),
    ):
        base, ours = measured(viewset, collection.split()[0], n, pairs)
        report = {"database": connection.vendor, "collection": collection, "n": n}
        yield {**report, "base": asdict(base), "ours": asdict(ours)}


def lines(number: int, pairs: int) -> Iterator[Line]:
    yield from shapes(number, pairs)
    yield from example(number, pairs)


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    django.setup()
    print(json.dumps(list(of_example(int(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
