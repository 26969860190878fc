"""A new release of the page: a browser that has the one before goes over to it, whole."""

from __future__ import annotations

from collections.abc import Callable

from .agreement import agree
from .site import ROOT, Site, until
from .window import Window, expect

WORDS = "boards/words.js"
KEPT = """caches.keys().then((names) => names.filter((one) => one.startsWith("boards-files-")))"""


def test_a_new_release_is_taken_over_and_kept(window: Callable[..., Window], site: Site) -> None:
    ada = window("ada", service_workers="allow")
    ada.is_live()
    ada.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    heading = ada.column("todo").locator("h2 .title")
    expect(heading).to_have_text("To do")
    [before] = ada.page.evaluate(KEPT)

    added = site.files / WORDS
    added.parent.mkdir(exist_ok=True)
    text = (ROOT / "example_project/boards/static" / WORDS).read_text("utf-8")
    assert '"To do"' in text
    added.write_text(text.replace('"To do"', '"Planned"'), "utf-8")
    ada.page.reload()

    expect(heading).to_have_text("Planned")
    until(lambda: ada.page.evaluate(KEPT) not in ([], [before]), "the worker is another")
    until(lambda: len(ada.page.evaluate(KEPT)) == 1, "the files of the one before are gone")
    agree(ada)
    site.stop()
    ada.page.reload()
    expect(heading).to_have_text("Planned")
    ada.add("todo", "Drill")
    site.start()
    agree(ada)
