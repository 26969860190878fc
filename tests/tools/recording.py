"""The pictures of the board in docs/images: ``python -m tests.tools.recording`` takes them anew.

It needs Playwright and a Chromium, and for the recording ffmpeg. The example is served as ``make
demo`` does, on a database of its own, and two users of the demo meet in it, each in a browser of
their own. ``board-two-windows.webp`` is what both saw, side by side: a card that is dragged in the
left window moves in the right one.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.agreement import agree
from tests.browser.conftest import CHROMIUM, sign_in
from tests.browser.site import Board, Site
from tests.browser.window import Window

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SIZES = {"desktop": (1180, 600), "phone": (390, 700), "card": (1180, 800)}
PANE = (780, 660)
"""Of one of the two windows in the recording, in pixels."""
FRAMES = 12
"""A second of the recording."""
LONGEST = 12
MOST = {".png": 200_000, ".webp": 2_000_000}
"""Bytes of a picture and of a recording."""
POINTER = """() => {
  const pointer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  pointer.setAttribute("viewBox", "0 0 16 16");
  const look = { position: "fixed", width: "22px", zIndex: 9, pointerEvents: "none" };
  Object.assign(pointer.style, look);
  pointer.innerHTML = '<path d="M2 1v12l3.2-3 2 4.5 2-.9-2-4.4H12z" fill="#111" stroke="#fff"/>';
  document.body.append(pointer);
  addEventListener("pointermove", ({ clientX, clientY }) => {
    pointer.style.left = `${clientX - 3}px`;
    pointer.style.top = `${clientY - 1}px`;
  }, true);
}"""


class Studio:
    """A browser, a site, and windows of the demo's users on its first board."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser = browser
        self.site = site
        boards = site.seen_by("ada")["boards"]
        [id] = [id for id, one in boards.items() if one["name"] == "Launch"]
        self.board = Board(1, id)

    @contextmanager
    def window(self, user: str, size: tuple[int, int], **options: Any) -> Iterator[Window]:
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, service_workers="block", **options
        )
        sign_in(context, self.site)
        at = "/" if user == "ada" else f"/as/{user}/"
        found = Window(context.new_page(), self.site, user, self.board, at)
        found.is_live()
        yield found
        context.close()


def kept(window: Window, name: str) -> None:
    window.page.screenshot(path=str(IMAGES / f"{name}.png"), animations="disabled")


def pictures(studio: Studio) -> None:
    """The board, a card, no network, a conflict."""
    phone = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
    for colours, suffix in (("light", ""), ("dark", "-dark")):
        with studio.window("ada", SIZES["desktop"], color_scheme=colours) as ada:
            kept(ada, f"board-desktop{suffix}")
        with studio.window("ada", SIZES["phone"], color_scheme=colours, **phone) as ada:
            kept(ada, f"board-phone{suffix}")
    with studio.window("ada", SIZES["card"]) as ada:
        ada.open("Check pump 7")
        kept(ada, "board-card")
    with (
        studio.window("ada", SIZES["desktop"]) as ada,
        studio.window("grace", SIZES["desktop"]) as grace,
    ):
        ada.context.set_offline(True)
        ada.links("offline")
        apart(grace, "Book the small hall", "2026-12-10")
        agree(grace)
        apart(ada, "Book the hall for Tuesday", "2026-12-08")
        ada.drag("Invite the neighbours", "doing")
        ada.page.locator("#status summary").click()
        kept(ada, "board-offline")
        ada.page.keyboard.press("Escape")
        ada.context.set_offline(False)
        ada.page.locator("#conflicts").click()
        expect(ada.dialog).to_be_visible()
        kept(ada, "board-conflict")
        ada.page.emulate_media(color_scheme="dark")
        kept(ada, "board-conflict-dark")
        ada.dialog.locator("[data-do=theirs]").click()
        ada.dialog.get_by_role("button", name="Keep what is chosen").click()
        agree(ada, grace)


def apart(window: Window, title: str, due: str) -> None:
    dialog = window.open("Book the hall")
    dialog.locator("[name=title]").fill(title)
    dialog.locator("[name=due]").fill(due)
    window.close()


# ── The recording ──


class Camera:
    """What a window shows, each picture with the second in which it was taken."""

    def __init__(self, window: Window) -> None:
        self.taken: list[tuple[float, bytes]] = []
        self._session = window.context.new_cdp_session(window.page)
        self._session.on("Page.screencastFrame", self._take)
        width, height = PANE
        self._session.send(
            "Page.startScreencast",
            {"format": "png", "maxWidth": width, "maxHeight": height, "everyNthFrame": 1},
        )

    def _take(self, told: dict[str, Any]) -> None:
        self.taken.append((told["metadata"]["timestamp"], base64.b64decode(told["data"])))
        self._session.send("Page.screencastFrameAck", {"sessionId": told["sessionId"]})

    def at(self, moment: float) -> bytes:
        """What was seen then."""
        return [picture for taken, picture in self.taken if taken <= moment][-1]


def recording(studio: Studio) -> None:
    with studio.window("ada", PANE) as ada, studio.window("grace", PANE) as grace:
        for window in (ada, grace):
            window.page.evaluate(POINTER)
            window.page.mouse.move(PANE[0] - 40, PANE[1] - 40)
        left, right = Camera(ada), Camera(grace)
        ada.page.wait_for_timeout(1000)
        begun = time.time()
        ada.page.wait_for_timeout(1000)
        slowly_drag(ada, "Translate the manual", "done")
        ada.page.wait_for_timeout(1200)
        slowly_drag(grace, "Check pump 7", "todo")
        ada.page.wait_for_timeout(1500)
        ended = time.time()
        agree(ada, grace)
    assert ended - begun <= LONGEST, f"it took {ended - begun:.1f} s; is the machine busy?"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(int((ended - begun) * FRAMES)):
            for side, camera in (("left", left), ("right", right)):
                picture = camera.at(begun + number / FRAMES)
                (folder / f"{side}-{number:03}.png").write_bytes(picture)
        joined(folder)


def slowly_drag(window: Window, title: str, column: str) -> None:
    """As a hand does, so that an eye can follow."""
    mouse = window.page.mouse
    box, target = window.card(title).bounding_box(), window.column(column).bounding_box()
    assert box is not None
    assert target is not None
    start = (box["x"] + box["width"] / 2, box["y"] + 20)
    end = (target["x"] + target["width"] / 2, target["y"] + target["height"] - 60)
    mouse.move(*start, steps=5)
    window.page.wait_for_timeout(200)
    mouse.down()
    steps = 24
    for step in range(1, steps + 1):
        part = step / steps
        eased = part * part * (3 - 2 * part)
        mouse.move(*(a + (b - a) * eased for a, b in zip(start, end, strict=True)))
        window.page.wait_for_timeout(30)
    mouse.up()


def joined(folder: Path) -> None:
    """Both side by side, by ffmpeg."""
    sides = [
        part
        for side in ("left", "right")
        for part in ("-framerate", str(FRAMES), "-i", str(folder / f"{side}-%03d.png"))
    ]
    beside = "[0]pad=iw+12:ih:0:0:0x8a8d91[a];[a][1]hstack,scale=1120:-2:flags=lanczos"
    command = ["ffmpeg", "-y", "-loglevel", "error", *sides, "-filter_complex", beside]
    made = ["-c:v", "libwebp_anim", "-lossless", "1", "-compression_level", "6", "-loop", "0"]
    subprocess.run([*command, *made, str(IMAGES / "board-two-windows.webp")], check=True)


def main() -> int:
    if CHROMIUM is None or shutil.which("ffmpeg") is None:
        sys.stderr.write("chromium and ffmpeg are needed, and one of them is not on the PATH\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site = Site(Path(folder))
        site.start()
        try:
            studio = Studio(browser, site)
            pictures(studio)
            recording(studio)
        finally:
            browser.close()
            site.stop()
    large = [one for one in IMAGES.glob("board-*") if one.stat().st_size > MOST[one.suffix]]
    for one in large:
        sys.stderr.write(f"{one.name} has {one.stat().st_size} bytes\n")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
