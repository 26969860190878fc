"""The errors: each is documented, on the wire as it should be, and read back as it was."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_sync import errors

EVERY = list(errors.every_error())
WIRE = [error for error in EVERY if not issubclass(error, errors.ClientError)]
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.code)
def test_each_is_documented(error):
    title, _, rest = (inspect.getdoc(error) or "").partition("\n\n")
    assert title.endswith("."), "the first paragraph is the title"
    assert "\n" not in title
    assert rest, "the rest says when it comes"
    assert error.__doc__ != errors.SyncError.__doc__
    assert isinstance(error.retry, errors.Retry)
    assert error.client_does.endswith(".")
    assert re.fullmatch(r"[a-z_]+", error.code)


def test_codes_are_one_for_each_error():
    assert len(errors.BY_CODE) == len(EVERY)


def test_the_catalogue_is_that_of_the_protocol():
    section = (DOCS / "protocol.md").read_text().split("## 9. Error codes")[1].split("\n## ")[0]
    listed = {}
    for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE):
        statuses = {int(number) for number in re.findall(r"\b\d{3}\b", row[0])}
        for code in re.findall(r"`([a-z_]+)`", row[1]):
            listed.setdefault(code, set()).update(statuses)
    assert set(listed) == {error.code for error in WIRE}
    for error in WIRE:
        assert error.status in listed[error.code], error.code


def test_each_stands_in_the_tree_at_the_top_of_the_module():
    tree = inspect.getdoc(errors) or ""
    for error in EVERY:
        assert error.__name__ in tree


@pytest.mark.parametrize("error", WIRE, ids=lambda error: error.code)
def test_a_problem_has_all_members(error):
    body = error().problem()
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert (body["code"], body["status"]) == (error.code, error.status)
    assert body["type"].endswith(error.code)
    assert body["detail"] == body["title"], "if no detail is given"


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.code)
def test_a_problem_is_read_back(error):
    wrong = {"title": [{"code": "blank", "detail": "Say something."}]}
    sent = error("Because.", errors=wrong, record={"revision": 7})
    back = errors.from_problem(sent.problem(), retry_after=3)
    assert type(back) is error
    assert (back.detail, back.errors, back.record) == ("Because.", wrong, {"revision": 7})
    assert back.retry_after == 3
    assert str(back) == "Because."
    assert back.problem() == sent.problem()


def test_a_code_of_a_newer_server_is_an_error_still():
    back = errors.from_problem({"code": "from_tomorrow", "detail": "New."})
    assert type(back) is errors.SyncError
    assert back.detail == "New."
    assert type(errors.from_problem({})) is errors.SyncError


def test_what_a_narrower_error_is():
    assert issubclass(errors.InvalidCursor, errors.Invalid)
    assert issubclass(errors.UnknownCollection, errors.Invalid)
    assert issubclass(errors.ClientMismatch, errors.PermissionDenied)
    assert all(issubclass(error, errors.SyncError) for error in EVERY)


@given(st.text(st.characters(codec=None), max_size=2000), st.text(st.characters(codec=None)))
def test_a_problem_can_be_stored_and_sent_whatever_it_repeats(text, name):
    """A NUL is refused by PostgreSQL, half a surrogate by UTF-8; a megabyte by good sense."""
    problem = errors.ValidationFailed(
        text, errors={name: [{"code": "x", "detail": text}]}
    ).problem()
    ((name, (listed,)),) = problem["errors"].items()
    for text in (problem["detail"], name, listed["detail"]):
        text.encode("utf-8")
        assert "\0" not in text
        assert len(text) <= errors.MOST_TEXT + 1


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=errors.MOST_TEXT))
def test_what_is_fine_is_left_as_it_is(text):
    assert errors.printable(text) == text
