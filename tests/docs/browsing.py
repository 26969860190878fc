"""A Chromium for the pages of the docs, or a plain word why there is none."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

PATIENCE = 20_000
"""Milliseconds after which what a page should show is taken as never coming."""


@contextlib.contextmanager
def browsing() -> Iterator[Any]:
    """A browser that was never used before, as Playwright's context."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("Playwright is not installed here")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on the PATH, and CHROMIUM names none")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        yield context
        browser.close()
