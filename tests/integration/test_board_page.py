"""The pages of the example as the server makes them; browsers test what happens in them."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from example_project.boards import offline
from example_project.boards.models import Board

PAGES = ("/", "/plain/")
PEOPLE = [
    ("ada", {"Launch", "Research"}, {"Private"}),
    ("grace", {"Launch", "Research"}, {"Private"}),
    ("alan", {"Launch", "Private"}, {"Research"}),
    ("admin", set(), {"Launch", "Research", "Private"}),
]


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    call_command("seed", verbosity=0)


@pytest.fixture
def demo(settings: LazySettings) -> None:
    settings.DEBUG = settings.BOARDS_DEMO_ROWS = True


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


class Told(HTMLParser):
    """A page's elements with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag]


def told_by(client: Client, path: str = "/") -> dict[str, str]:
    """What the page tells the application."""
    response = client.get(path)
    assert response.status_code == 200
    [main] = Told(response.text).of("main")
    return {name.removeprefix("data-"): value for name, value in main.items()}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_who_one_is(path: str, client: Client) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "Sign in" in page.text
    assert "Launch" not in page.text
    assert "Boards-Release" not in page.headers  # by which it would be kept for offline


def test_it_tells_who_one_is_and_which_store_is_ones_own() -> None:
    ada, grace = told_by(signed_in("ada")), told_by(signed_in("grace"))
    assert ada["user"] == "ada"
    assert ada["sync"] == "/sync/"
    assert ada["token"] == ""  # the session it is
    assert ada["store"] != grace["store"]


@pytest.mark.parametrize("name", ["ada", "grace", "alan", "admin"])
def test_no_board_is_in_the_page_that_a_browser_keeps(name: str) -> None:
    page = signed_in(name).get("/").text
    assert [board.name for board in Board.objects.all() if board.name in page] == []


@pytest.mark.parametrize(
    ("name", "boards"), [("ada", {"Research"}), ("grace", set()), ("alan", {"Launch"})]
)
def test_it_tells_which_boards_one_only_reads(name: str, boards: set[str]) -> None:
    ids = {str(board.sync_id) for board in Board.objects.filter(name__in=boards)}
    assert set(told_by(signed_in(name))["read-only"].split()) == ids


def test_it_takes_as_many_queries_for_many_boards(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in("ada")
    for number in range(20):
        board = Board.objects.create(name=f"B{number}", owner=User.objects.get(username="grace"))
        board.memberships.create(user=User.objects.get(username="ada"))
    with django_assert_num_queries(3):  # session, user, the boards that one only reads
        client.get("/")


@pytest.mark.parametrize("path", ["/", "/plain/", "/as/grace/", "/login/", "/service-worker.js"])
@pytest.mark.usefixtures("demo")
def test_it_holds_under_a_strict_policy(path: str) -> None:
    response = signed_in("ada").get(path)
    assert response.status_code == 200
    policy = dict(
        part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in str(policy)
    if path.endswith(".js"):
        return
    page = Told(response.text)
    assert all(script.get("src") for script in page.of("script"))
    assert page.of("style") == []
    inline = [
        attrs
        for _, attrs in page.elements
        if any(n == "style" or n.startswith("on") for n in attrs)
    ]
    assert inline == []


@pytest.mark.usefixtures("demo")
def test_pages_of_somebody_are_kept_by_no_cache_on_the_way() -> None:
    for path in ("/", "/plain/", "/as/grace/"):
        kept = signed_in("ada").get(path)["Cache-Control"]
        assert "no-store" in kept
        assert "private" in kept


# ── A second user ──


@pytest.mark.usefixtures("demo")
def test_a_second_user_is_a_link_away() -> None:
    client = signed_in("ada")
    links = {link["href"] for link in Told(client.get("/").text).of("a")}
    assert {"/as/grace/", "/as/alan/"} <= links
    assert "/as/ada/" not in links

    grace = told_by(client, "/as/grace/")

    assert (grace["user"], grace["token"]) == ("grace", "demo-grace")
    assert grace["store"] not in {told_by(client)["store"], told_by(signed_in("grace"))["store"]}
    assert grace["read-only"] == ""  # Grace's, not Ada's
    answer = Client().get(
        "/sync/boards/",
        headers={"Authorization": f"Token {grace['token']}", "Accept": "application/json"},
    )
    assert answer.status_code == 200


@pytest.mark.usefixtures("demo")
def test_a_stranger_signs_in_before_being_a_second_user(client: Client) -> None:
    response = client.get("/as/grace/")
    assert response.status_code == 302
    assert urlsplit(response["Location"]).path == "/login/"
    assert "demo-grace" not in response.text


@pytest.mark.parametrize("off", ["DEBUG", "BOARDS_DEMO_ROWS"])
@pytest.mark.usefixtures("demo")
def test_there_is_no_second_user_outside_the_demo(off: str, settings: LazySettings) -> None:
    setattr(settings, off, False)
    client = signed_in("ada")
    assert client.get("/as/grace/").status_code == 404
    assert "/as/" not in client.get("/").text
    assert "grace-demo" not in Client().get("/").text


@pytest.mark.parametrize("name", ["admin", "nobody", "ada"])
@pytest.mark.usefixtures("demo")
def test_the_second_user_is_one_of_the_demo_with_the_demos_token(name: str) -> None:
    # Ada's is her own now, as for one who was there before the demo's rows came.
    Token.objects.filter(user__username="ada").delete()
    Token.objects.create(user=User.objects.get(username="ada"), key="her own")
    response = signed_in("grace").get(f"/as/{name}/")
    assert response.status_code == 404
    assert "her own" not in response.text


@pytest.mark.usefixtures("demo")
def test_a_second_user_who_was_switched_off_is_none() -> None:
    User.objects.filter(username="grace").update(is_active=False)
    assert signed_in("ada").get("/as/grace/").status_code == 404


@pytest.mark.usefixtures("demo")
def test_the_form_to_sign_in_leads_back() -> None:
    client = Client()
    form = client.get("/login/?next=/as/grace/").text
    assert form.count('name="next" value="/as/grace/"') == 4  # three users of the demo, and by name

    data = {"username": "ada", "password": "ada-demo", "next": "/as/grace/"}

    assert client.post("/login/", data)["Location"] == "/as/grace/"
    assert client.post("/login/", data | {"next": "https://elsewhere.example/"})["Location"] == "/"
    assert client.post("/login/", data | {"next": ""})["Location"] == "/"


# ── Without a net ──


def worker() -> dict[str, object]:
    """What the service worker is told."""
    response = Client().get("/service-worker.js")
    assert response.status_code == 200
    told = re.match(r"self\.BOARDS = (\{.*?\n\});", response.text, re.DOTALL)
    assert told is not None
    return dict(json.loads(told[1]))


def test_the_service_worker_is_a_script_for_the_whole_site(client: Client) -> None:
    response = client.get("/service-worker.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Service-Worker-Allowed"] == "/"
    assert response["Cache-Control"] == "no-cache"
    assert response.text.endswith(Path(str(finders.find(offline.WORKER))).read_text("utf-8"))


def test_it_keeps_each_file_that_the_application_loads() -> None:
    kept = worker()["files"]
    assert isinstance(kept, list)
    page = Told(signed_in("ada").get("/").text)
    loaded = {link["href"] for link in page.of("link")} | {
        script["src"] for script in page.of("script")
    }
    assert loaded <= set(kept)
    seen: set[str] = set()
    todo = [path for path in kept if path.endswith(".js")]
    for path in todo:  # and what those import, and those
        name = path.removeprefix("/static/")
        text = Path(str(finders.find(name))).read_text("utf-8")
        for found in re.findall(r'^(?:import|export)\b[^;]*?from "([^"]+)"', text, re.MULTILINE):
            seen.add(f"/static/{(Path('/') / Path(name).parent / found).resolve().as_posix()[1:]}")
    assert "/static/django_sync/client.js" in seen
    assert seen <= set(kept)


def test_it_keeps_nothing_that_is_not_the_applications() -> None:
    kept = worker()["files"]
    assert isinstance(kept, list)
    folders = ("/static/boards/", "/static/django_sync/")
    assert [path for path in kept if not path.startswith(folders)] == []
    assert [path for path in kept if "admin" in path or "service-worker" in path] == []


def test_a_release_is_another_where_a_byte_is(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "boards").mkdir()
    added = tmp_path / "boards" / "added.js"
    settings.DEBUG = True  # a site's files change when its processes are started anew
    settings.STATICFILES_DIRS = [tmp_path]
    forget: Any = finders.get_finder  # a cache, which its stubs do not know
    forget.cache_clear()
    try:
        releases = [offline.release()]
        for text in ("one", "two"):
            added.write_text(text)
            releases.append(offline.release())
        assert len(set(releases)) == 3
        assert "/static/boards/added.js" in offline.script()
        assert told_by(signed_in("ada"))["release"] == releases[-1]
        assert signed_in("ada").get("/")["Boards-Release"] == releases[-1]
        assert worker()["release"] == releases[-1]
    finally:
        forget.cache_clear()


# ── Without scripts ──


@pytest.mark.parametrize(("name", "sees", "hidden"), PEOPLE)
def test_the_plain_page_shows_ones_own_boards(name: str, sees: set[str], hidden: set[str]) -> None:
    client = signed_in(name)

    page = client.get("/plain/")

    assert page.status_code == 200
    assert [board for board in sees if board not in page.text] == []
    assert [board for board in hidden if board in page.text] == []
    for board in Board.objects.filter(name__in=sees):
        opened = client.get("/plain/", {"board": board.pk}).text
        assert all(card.title in opened for card in board.cards.all())
    for board in Board.objects.filter(name__in=hidden):
        assert client.get("/plain/", {"board": board.pk}).status_code == 404


@pytest.mark.parametrize("wanted", ["x", "-1", "0", "９" * 40, "9" * 40])
def test_no_such_board(wanted: str) -> None:
    assert signed_in("ada").get("/plain/", {"board": wanted}).status_code == 404


def test_the_plain_page_takes_no_query_a_card(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in("ada")
    board = Board.objects.get(name="Launch")
    for number in range(20):
        board.cards.create(title=f"More {number}").comments.create(author=board.owner, text="!")
    # session, user, boards, the board, its owner, cards, labels, comments, authors
    with django_assert_num_queries(9):
        client.get("/plain/", {"board": board.pk})


def test_as_a_module_the_service_worker_handles_pushes_and_does_all_else_too(
    client: Client,
) -> None:
    """Browsers that run no modules there get the plain one, which has no import."""
    plain, module = client.get("/service-worker.js"), client.get("/service-worker.js?module")
    assert "import" not in plain.text.partition("self.BOARDS")[0]
    assert plain.text in module.text
    first, *_, last = module.text.strip().splitlines()
    [(name, path)] = re.findall(r'import \{ (\w+) \} from "(.+)";', first)
    assert last == f"{name}(self);"
    found = finders.find(path.removeprefix("/static/"))
    assert isinstance(found, str)
    assert f"export function {name}(" in Path(found).read_text()
    assert module["Service-Worker-Allowed"] == "/"
