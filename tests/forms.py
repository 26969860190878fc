"""A form of a page as a browser would send it: read from the HTML, with other values in it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client

Data = dict[str, list[str]]


class _Form(HTMLParser):
    """The successful controls of a page's ``post`` forms, the first button apart."""

    def __init__(self) -> None:
        super().__init__()
        self.data: Data = {}
        self.within = False
        self.select = self.area = ""
        self.written: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.within = told.get("method", "").lower() == "post" and "logout" not in str(told)
        if not self.within:
            return
        name, kind = told.get("name", ""), told.get("type", "text")
        if tag == "input" and name and kind not in ("submit", "button", "file"):
            if kind not in ("checkbox", "radio") or "checked" in told:
                self.put(name, told.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in told:
            self.put(self.select, told.get("value", ""))
        elif tag == "textarea":
            self.area, self.written = name, []

    def handle_data(self, data: str) -> None:
        if self.area:
            self.written.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.put(self.area, "".join(self.written).removeprefix("\r").removeprefix("\n"))
            self.area = ""
        elif tag == "select":
            self.select = ""
        elif tag == "form":
            self.within = False

    def put(self, name: str, value: str) -> None:
        """Line ends leave a browser as two bytes."""
        sent = value.replace("\r\n", "\n").replace("\n", "\r\n")
        self.data.setdefault(name, []).append(sent)


def form_in(html: str) -> Data:
    """What the page's form would send, untouched."""
    reader = _Form()
    reader.feed(html)
    return {name: values for name, values in reader.data.items() if "__prefix__" not in name}


def with_values(data: Data, **values: Any) -> Data:
    """The form with other values; ``None`` takes one out."""
    new = {n: v if isinstance(v, list) else [v] for n, v in values.items() if v is not None}
    return {name: v for name, v in data.items() if name not in values} | new


def opened(client: Client, url: str) -> Data:
    """The form of a page that a browser opens."""
    response = client.get(url)
    assert response.status_code == 200, response
    return form_in(response.text)
