"""The pictures of the admin in docs/images: ``python -m tests.tools.screenshots`` takes them anew.

It needs Playwright (``pip install playwright``) and a Chromium: Playwright's own, or the one that
``CHROMIUM`` names (/usr/bin/chromium is found by itself). The example project is served on a
database of its own, and two members of staff and two clients meet in it. Each page is looked at
for what a machine can see: text that is too faint, fields without a label, headings that skip a
level, more width than the screen has, focus that nobody sees. Where there is any, the run fails.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.tools.looking import LOOK, UNSEEN_FOCUS

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
MOST = 150_000
"""Bytes of a picture."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday")
SIZES = {"desktop": (1180, 760), "phone": (390, 844)}


@dataclass(frozen=True)
class Scene:
    """A page: its name, where it is, and what is done there before the picture."""

    name: str
    url: str
    main: bool = False
    forms: tuple[tuple[str, str], ...] = ()
    screens: int = 2
    press: str = ""
    """The order whose button is pressed."""


def scenes() -> list[Scene]:
    """Make the rows that the pictures show; in a process with the example's settings."""
    from django.contrib.auth.models import User
    from django.test import Client

    from django_sync.feed import sequencer
    from django_sync.models import Decision, OpenConflict
    from example_project.boards.models import Board, Card
    from tests.forms import opened, with_values
    from tests.integration.phone import Phone

    sequencer.sequence()
    user = {name: User.objects.get(username=name) for name in ("ada", "grace", "admin")}
    card = Card.objects.get(title="Check pump 7")
    url = f"/admin/boards/card/{card.pk}/change/"
    staff = Client()
    staff.force_login(user["admin"])
    staff.post(url, with_values(opened(staff, url), body="It hums at 50 Hz.", votes="2"))
    ada, grace = Phone(user["ada"]), Phone(user["grace"])
    for title, mine, theirs in (
        ("Book the hall", "Book the small hall", "Book the hall for Tuesday"),
        ("Translate the manual", "Translate the manual into Czech", "Translate chapters 1 to 4"),
    ):
        row = Card.objects.get(title=title)
        late = ada.update(
            row, told={"title": title, "column": row.column}, title=mine, column="done"
        )
        grace.one(grace.update(row, title=theirs, column="doing"))
        ada.one(late)
        sequencer.sequence()
    settled = OpenConflict.objects.earliest("id")
    page = f"/admin/django_sync/openconflict/{settled.pk}/change/"
    form = with_values(opened(staff, page), **{"choice:title": "client"})
    staff.post(page, form | {"step": ["write"]})
    card.refresh_from_db()
    grace.one(grace.update(card, title="Repair pump 7", votes=5))
    sequencer.sequence()
    conflict = OpenConflict.objects.latest("id")
    assert conflict.is_open
    assert Decision.objects.count() > 1
    lost = sessions_of(user)
    board = f"/admin/boards/board/{Board.objects.get(name='Launch').pk}/change/"
    return [
        Scene("form", url, main=True),
        Scene("history", url.replace("/change/", "/sync-history/"), main=True),
        Scene("refused", url, main=True, forms=(("title", "Check pump 8"), ("votes", "3"))),
        Scene("conflict", f"/admin/django_sync/openconflict/{conflict.pk}/change/", main=True),
        Scene("inlines", board, forms=(("labels-0-name", "paper"),)),
        Scene("delete", url.replace("/change/", "/delete/")),
        Scene("log", "/admin/django_sync/change/", screens=1),
        Scene("decisions", "/admin/django_sync/decision/"),
        Scene("feed", "/admin/django_sync/feed/"),
        Scene("sessions", "/admin/django_sync/syncsession/", main=True),
        Scene("session", f"/admin/django_sync/syncsession/{lost}/change/", main=True),
        Scene("order", f"/admin/django_sync/syncsession/{lost}/change/", press="block_user"),
        Scene("endpoints", "/admin/django_sync/endpoint/", main=True),
        Scene("gone", url, forms=(("title", "Check pump 8"), ("body", "It is quiet now."))),
    ]


def sessions_of(users: dict[str, Any]) -> str:
    """Sessions of each kind; the id of one whose place is behind."""
    from datetime import timedelta

    from django.utils import timezone
    from rest_framework.test import APIClient

    from django_sync import sync
    from django_sync.feed import log as feed_log
    from django_sync.models import Client, SyncSession
    from django_sync.protocol.ids import new_id

    head, now, ids = feed_log.state()[0].head, timezone.now(), {}
    for name, user, platform, transport, behind, silent, problem in (
        ("Ada’s phone", "ada", "ios", "websocket", 5, 20, ""),
        ("", "ada", "javascript/browser", "sse", 0, 5, ""),
        ("Field laptop", "grace", "python/linux", "poll", head, 4000, "cursor_expired"),
        ("", "grace", "javascript/browser", "websocket", 0, 30, "throttled"),
        ("Reading room", "admin", "python/win32", "long-poll", 2, 100, ""),
    ):
        api = APIClient()
        api.force_authenticate(users[user])
        told = {"client_id": str(new_id()), "transports": [transport, "poll"], "name": name}
        told |= {"platform": platform, "version": "0.1.0"}
        id = api.post("/sync/sessions/", told, format="json").json()["id"]
        SyncSession.objects.filter(id=id).update(
            transport=transport,
            position=head - behind,
            seen_at=now - timedelta(seconds=silent),
            problem=problem,
            problem_at=now - timedelta(minutes=3) if problem else None,
        )
        ids[name] = id
    sync.block(client=Client.objects.get(sessions=ids["Reading room"]), by=users["admin"])
    endpoints_of(ids)
    return str(ids["Ada’s phone"])


def endpoints_of(sessions: dict[str, Any]) -> None:
    """Where some of them are woken: one was told, one is due, one is given up."""
    from datetime import timedelta

    from django.utils import timezone

    from django_sync.models import Endpoint, PushUser, SyncSession

    now, minute = timezone.now(), timedelta(minutes=1)
    refused = "403: the token was signed by another key"
    for name, kind, host, state in (
        ("Ada’s phone", "webpush", "updates.push.example", {"sent_at": now - 3 * minute}),
        ("Field laptop", "webhook", "field.example", {"due_at": now, "pending": "cards"}),
        (
            "Reading room",
            "webpush",
            "updates.push.example",
            {"parked_at": now - 40 * minute, "due_at": now, "failures": 1, "problem": refused},
        ),
    ):
        session = SyncSession.objects.get(id=sessions[name])
        user, _ = PushUser.objects.get_or_create(user_id=session.user_id)
        Endpoint.objects.create(
            session=session,
            user=user,
            kind=kind,
            host=host,
            target={},
            created_at=now - 90 * minute,
            **state,
        )


def meanwhile(scene: Scene, turn: int) -> None:
    """What somebody else does between the look and the save."""
    from django.contrib.auth.models import User
    from django.test import Client

    from example_project.boards.models import Card
    from tests.forms import opened, with_values

    other, _ = User.objects.get_or_create(username="grace")
    other.is_staff = other.is_superuser = True
    other.save()
    client = Client()
    client.force_login(other)
    change = {
        "refused": {"title": f"Repair pump 7 on {DAYS[turn % 4]}"},
        "inlines": {"labels-0-name": f"papers of {DAYS[turn % 4]}"},
    }.get(scene.name)
    if change:
        client.post(scene.url, with_values(opened(client, scene.url), **change))
    elif scene.name == "gone":
        asked: Any = client.get(scene.url.replace("/change/", "/delete/"))
        client.post(asked.url, {"post": "yes"})
        Card.objects.filter(title__startswith="Repair pump 7").delete()


@contextmanager
def served() -> Iterator[str]:
    """The example on a port of its own, until the pictures are taken."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "example_project.manage", "runserver", "--noreload"]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([*command, str(port)], cwd=ROOT, stdout=log, stderr=log) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, server)
            yield url
        finally:
            server.terminate()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx2.get(f"{url}/login/")
            return
        except httpx2.TransportError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)


def take(url: str, found: list[Scene]) -> list[str]:
    """Take each picture; what is wrong with the pages."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(os.path.exists, ["/usr/bin/chromium"]), None)
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for scene in found:
            for size in SIZES:
                for dark in (False, True):
                    if scene.name == "gone" and (size, dark) != ("desktop", False):
                        continue  # it is gone for good
                    kept = scene.main or (size == "desktop" and not dark)
                    name = f"admin-{scene.name}-{size}{'-dark' if dark else ''}"
                    wrong += [
                        f"{name}: {one}"
                        for one in _picture(browser, url, scene, size, dark, name, kept)
                    ]
        browser.close()
    return wrong


def _picture(
    browser: Any, url: str, scene: Scene, size: str, dark: bool, name: str, kept: bool
) -> list[str]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    context.add_init_script("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    page = context.new_page()
    page.goto(f"{url}/admin/login/?next={scene.url}")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin-demo")
    with page.expect_navigation():
        page.click("[type=submit]")
    if scene.forms:
        meanwhile(scene, 2 * (size == "phone") + dark)
        for field, value in scene.forms:
            page.fill(f"[name={field}]", value)
        with page.expect_navigation():
            page.click("[name=_continue]")
    if scene.press:
        with page.expect_navigation():
            page.click(f"[value={scene.press}]")
    if page.locator("#content").count() == 0:
        return [f"no page of the admin: {page.title()}"]
    if page.locator("details.django-sync, fieldset.django-sync details").count():
        page.locator("fieldset.django-sync summary, details.django-sync summary").first.click()
    wrong: list[str] = page.evaluate(LOOK)
    wrong += page.evaluate(UNSEEN_FOCUS)
    page.evaluate("document.activeElement && document.activeElement.blur(); scrollTo(0, 0)")
    if kept:
        tall = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(tall, scene.screens * height)}
        target = IMAGES / f"{name}.png"
        page.screenshot(path=str(target), full_page=True, clip=clip)
        if (bytes_ := target.stat().st_size) > MOST:
            wrong.append(f"{bytes_} bytes")
    context.close()
    return wrong


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DATABASE_URL": f"sqlite:///{folder}/shots.sqlite3",
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright keeps a loop in this thread
            "ALLOWED_HOSTS": "127.0.0.1,testserver",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        found = scenes()
        with served() as url:
            wrong = take(url, found)
    for one in wrong:
        sys.stderr.write(f"{one}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
