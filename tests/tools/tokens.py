"""JavaScript as tokens, and the names that it defines.

The reader knows as much of the language as our client uses. It skips strings, comments and regular
expressions, and enters the expressions of template literals.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SPACE = re.compile(r"\s+")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_NUMBER = re.compile(r"\d[\w.]*")
_NAME = re.compile(r"#?[A-Za-z_$][\w$]*")
_MARK = re.compile(r"=>|\.\.\.|[=!]==?|[<>]=|\?\?=?|\?\.|&&|\|\||\+\+|--|[-+*/%|&]=|.", re.DOTALL)
_BEFORE_REGEX = frozenset(
    [
        "(",
        ",",
        "=",
        ":",
        "[",
        "!",
        "&",
        "|",
        "?",
        "{",
        "}",
        ";",
        "=>",
        "&&",
        "||",
        "??",
        "==",
        "===",
        "!==",
        "return",
        "typeof",
        "case",
    ]
)
_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is ``name``, ``mark``, ``text`` (a string or template part), ``comment``…"""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Defined:
    """A name where it is defined, with its line."""

    name: str
    line: int


@functools.lru_cache(maxsize=200)
def tokens(source: str) -> Sequence[Token]:
    """All tokens, comments included."""
    found: list[Token] = []
    at, line = 0, 1
    closers: list[str] = []  # braces; a "${" is where a template literal goes on
    last = ""

    def add(kind: str, text: str) -> None:
        nonlocal at, last, line
        found.append(Token(kind, text, line))
        at += len(text)
        line += text.count("\n")
        if kind != "comment":
            last = text if kind in ("name", "mark") else kind

    while at < len(source):
        if space := _SPACE.match(source, at):
            line += space[0].count("\n")
            at = space.end()
        elif comment := _COMMENT.match(source, at):
            add("comment", comment[0])
        elif source[at] == "`" or (source[at] == "}" and closers and closers[-1] == "${"):
            if source[at] == "}":
                closers.pop()
            end = _template_end(source, at + 1)
            opens = source.startswith("${", end - 2) and source[end - 1] != "`"
            add("text", source[at:end])
            if opens:
                closers.append("${")
                last = "("
        elif string := _STRING.match(source, at):
            add("text", string[0])
        elif (last == "" or last in _BEFORE_REGEX) and (regex := _REGEX.match(source, at)):
            add("regex", regex[0])
        elif name := _NAME.match(source, at):
            add("name", name[0])
        elif number := _NUMBER.match(source, at):
            add("number", number[0])
        else:
            mark = _MARK.match(source, at)
            assert mark is not None
            if mark[0] == "{":
                closers.append("{")
            elif mark[0] == "}" and closers:
                closers.pop()
            add("mark", mark[0])
    return found


def _template_end(source: str, at: int) -> int:
    """Behind the closing backtick of a template literal, or behind its next ``${``."""
    while at < len(source):
        if source[at] == "\\":
            at += 2
        elif source[at] == "`":
            return at + 1
        elif source.startswith("${", at):
            return at + 2
        else:
            at += 1
    raise ValueError("a template literal does not end")


def definitions(source: str) -> list[Defined]:
    """Where variables, parameters, functions, classes, methods, members and keys are defined.

    Members that are assigned to something other than ``this`` are not ours to name: the browser
    prescribes ``innerHTML``.
    """
    listed = [token for token in tokens(source) if token.kind != "comment"]
    found = {(d.name, d.line): d for d in _definitions(listed)}
    return sorted(found.values(), key=lambda d: d.line)


def _definitions(listed: Sequence[Token]) -> Iterator[Defined]:
    pairs = _pairs(listed)
    for at, token in enumerate(listed):
        text = token.text
        before = listed[at - 1].text if at else ""
        after = listed[at + 1].text if at + 1 < len(listed) else ""
        if token.kind == "mark":
            if text == "=>":
                yield from _parameters_before(listed, at, pairs)
            continue
        if token.kind != "name":
            continue
        if text in ("const", "let", "var"):
            yield from _declared(listed, at + 1, pairs)
        elif before in ("function", "class", "as") or (before == "*" and after == "("):
            yield Defined(text, token.line)
            if before != "class" and after == "(":
                yield from _bound(listed, at + 2, pairs[at + 1], pairs)
        elif text in ("function", "catch") and after == "(":
            yield from _bound(listed, at + 2, pairs[at + 1], pairs)
        elif after == "(" and _is_method(listed, at, pairs):
            yield Defined(text, token.line)
            yield from _bound(listed, at + 2, pairs[at + 1], pairs)
        elif (
            (before == "." and after == "=" and listed[at - 2].text == "this")
            or (before in ("{", ",") and after == ":")
            or (
                before in (";", "{", "}", "static")
                and after in ("=", ";")
                and _in_class(listed, at)
            )
        ):
            yield Defined(text, token.line)


_STATEMENTS = frozenset(("if", "for", "while", "switch", "catch", "return", "await", "super"))


def _is_method(listed: Sequence[Token], at: int, pairs: dict[int, int]) -> bool:
    """``name(…) {`` that is not a statement, and not a call before a block."""
    if listed[at].text in _STATEMENTS or at + 1 not in pairs:
        return False
    end = pairs[at + 1] + 1
    before = listed[at - 1].text if at else ""
    follows = end < len(listed) and listed[end].text == "{"
    return follows and before in ("{", "}", ";", ",", "async", "get", "set", "static", "*")


def _in_class(listed: Sequence[Token], at: int) -> bool:
    """Whether the block around a token is the body of a class."""
    depth = 0
    for index in range(at - 1, -1, -1):
        text = listed[index].text if listed[index].kind == "mark" else ""
        if text == "}":
            depth += 1
        elif text == "{" and depth:
            depth -= 1
        elif text == "{":
            head = [token.text for token in listed[max(index - 6, 0) : index]]
            return "class" in head and not {"(", ")", ";", "{", "}"} & set(
                head[len(head) - 1 - head[::-1].index("class") :]
            )
    return False


def _pairs(listed: Sequence[Token]) -> dict[int, int]:
    """Each opening bracket with its closing one, and the other way round."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for at, token in enumerate(listed):
        text = token.text
        # A template literal's parts open and close nothing here: they are texts.
        if token.kind != "mark":
            continue
        if text in _OPEN:
            stack.append(at)
        elif text in _CLOSE and stack:
            start = stack.pop()
            found[start], found[at] = at, start
    return found


def _parameters_before(
    listed: Sequence[Token], arrow: int, pairs: dict[int, int]
) -> Iterator[Defined]:
    before = listed[arrow - 1]
    if before.kind == "name":
        yield Defined(before.text, before.line)
    elif before.text == ")" and arrow - 1 in pairs:
        yield from _bound(listed, pairs[arrow - 1] + 1, arrow - 1, pairs)


def _declared(listed: Sequence[Token], at: int, pairs: dict[int, int]) -> Iterator[Defined]:
    """The names of a declaration up to its semicolon, or the ``of`` of a loop."""
    while at < len(listed):
        end = at
        while end < len(listed) and listed[end].text not in ("=", ",", ";", "of", "in", ")"):
            end = pairs[end] + 1 if listed[end].text in _OPEN and end in pairs else end + 1
        yield from _bound(listed, at, end, pairs)
        if end >= len(listed) or listed[end].text not in ("=", ","):
            return
        if listed[end].text == "=":
            end = _skip_value(listed, end + 1, len(listed), pairs)
            if end >= len(listed) or listed[end].text != ",":
                return
        at = end + 1


def _skip_value(listed: Sequence[Token], at: int, end: int, pairs: dict[int, int]) -> int:
    while at < end and listed[at].text not in (",", ";") and listed[at].text not in _CLOSE:
        at = pairs[at] + 1 if listed[at].text in _OPEN and at in pairs else at + 1
    return at


def _bound(listed: Sequence[Token], at: int, end: int, pairs: dict[int, int]) -> Iterator[Defined]:
    """The names that a pattern or list of parameters binds, without keys and default values."""
    while at < end:
        token = listed[at]
        after = listed[at + 1].text if at + 1 < len(listed) else ""
        if token.text == "=":
            at = _skip_value(listed, at + 1, end, pairs)
            continue
        if token.text in ("{", "[") and at in pairs:
            yield from _bound(listed, at + 1, pairs[at], pairs)
            at = pairs[at] + 1
            continue
        if token.kind == "name" and after != ":":
            yield Defined(token.text, token.line)
        at += 1
