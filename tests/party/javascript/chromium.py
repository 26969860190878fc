"""A guest in a page of Chromium: ``python chromium.py ADDRESS``, a line for a command as in Node.

It is a process of its own, for Playwright has a loop that Django would not have beside it. The
command ``restart`` is a reload of the page, in the middle of whatever it does.
"""

from __future__ import annotations

import json
import os
import shutil
import sys


def main(address: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("globalThis.obey !== undefined")
        opened = ""
        for line in sys.stdin:
            word = json.loads(line)["word"]
            if word == "open":
                opened = line
            if word == "heal":  # from now on the weather of a page that is loaded again is calm too
                opened = json.dumps(json.loads(opened) | {"calm": True})
            if word == "restart":
                page.reload()
                page.wait_for_function("globalThis.obey !== undefined")
                page.evaluate("line => obey(line)", opened)
                line = '{"word": "start"}'  # noqa: PLW2901 - what is left of it to do
            sys.stdout.write(f"{page.evaluate('line => obey(line)', line)}\n")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
