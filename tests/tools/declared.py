"""What the JavaScript client's declarations say, read as text, so that no Node is needed.

TypeScript's compiler writes them from the JSDoc (``make types``), and ``test_javascript`` holds
them against the sources where that compiler is. Defaults are read from the sources, which alone
have them. What is marked ``@internal`` is known as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[2] / "django_sync/static/django_sync"

_TAG = re.compile(r"(?:^|(?<=\s))@(?=[a-z]+\b)")
_DECLARED = re.compile(r"^(?:export )?(?:declare )?(class|type|function|const) (\w+)")


@dataclass
class Doc:
    """A comment: its text, and what its tags say."""

    text: str = ""
    params: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, type and meaning."""
    returns: tuple[str, str] | None = None
    throws: list[str] = field(default_factory=list)
    is_internal: bool = False


@dataclass
class Member:
    name: str
    declared: str
    doc: Doc
    is_static: bool = False

    @property
    def is_method(self) -> bool:
        return bool(re.match(r"(?:static )?\w+(?:<\w+>)?\(", self.declared))


@dataclass
class Entry:
    """A class, a type or a function."""

    kind: str
    name: str
    declared: str
    doc: Doc
    module: str
    members: list[Member] = field(default_factory=list)


def braced(text: str) -> tuple[str, str]:
    """A type in braces, and what follows it."""
    if not text.startswith("{"):
        return "", text.strip()
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if depth == 0:
            return text[1:at].strip(), text[at + 1 :].strip()
    raise AssertionError(f"a type has no end: {text}")


def read_doc(comment: str) -> Doc:
    rows = [re.sub(r"^\s*\*? ?", "", row) for row in comment.strip()[3:-2].splitlines()]
    head, *tags = _TAG.split("\n".join(rows))
    doc = Doc(head.strip())
    for tag in tags:
        name, _, rest = tag.partition(" ") if " " in tag.split("\n")[0] else tag.partition("\n")
        name, rest = name.strip(), re.sub(r"\s+", " ", rest).strip()
        kind, told = braced(rest)
        if name == "internal":
            doc.is_internal = True
        elif name in ("param", "property"):
            named, _, about = told.partition(" ")
            doc.params.append((named, kind, about))
        elif name == "returns":
            doc.returns = kind, told
        elif name == "throws":
            doc.throws.append(f"`{kind}` {told}".strip())
    return doc


def declarations(text: str) -> Iterator[tuple[str, str]]:
    """Each declaration of one level, with the comment just before it or ''."""
    comment, rows = "", list[str]()
    lines = iter(text.splitlines())
    for line in lines:
        if not rows and line.startswith("/**"):
            comment = line
            while "*/" not in line:
                line = next(lines)  # noqa: PLW2901 - the comment's own lines
                comment += f"\n{line}"
            continue
        if not line.strip():
            continue
        rows.append(line)
        whole = "\n".join(rows)
        bare = re.sub(r"/\*\*.*?\*/|=>", "", whole, flags=re.DOTALL)
        if sum(map(bare.count, "{([")) == sum(map(bare.count, "})]")) and bare[-1] in ";}":
            yield comment, whole
            comment, rows = "", []


def members(body: str) -> Iterator[Member]:
    for comment, declared in declarations(body):
        found = re.match(r"(static )?(?:readonly )?(?:get )?(\w+)\??", declared)
        if found and "#private" not in declared:
            doc = read_doc(comment) if comment else Doc()
            yield Member(found[2], declared.rstrip(";"), doc, bool(found[1]))


@cache
def module(name: str) -> dict[str, Entry]:
    """What a module declares, by name."""
    found: dict[str, Entry] = {}
    for comment, declared in declarations((CLIENT / f"types/{name}.d.ts").read_text()):
        told = _DECLARED.match(declared)
        if told is None:
            continue
        entry = Entry(told[1], told[2], declared, read_doc(comment) if comment else Doc(), name)
        if entry.kind == "class":
            inner = declared[declared.index("{") + 1 : declared.rindex("}")]
            entry.members = list(members(re.sub(r"^ {4}", "", inner, flags=re.MULTILINE)))
        found[entry.name] = entry
    return found


def public() -> dict[str, Entry]:
    """What ``client.js`` exports, types too, by name; but for the errors."""
    text = (CLIENT / "types/client.d.ts").read_text()
    imported = {
        name: where
        for names, where in re.findall(
            r'^import (?:type )?\{ (.+?) \} from "\./([\w/]+)\.js"', text, re.M
        )
        for name in names.split(", ")
    }
    again = re.findall(r'^export \{ (.+?) \} from "\./([\w/]+)\.js"', text, re.M)
    own = ", ".join(re.findall(r"^export \{ ([^}]+?) \};", text, re.M)).split(", ")
    types = re.findall(r'^export type (\w+) = import\("\./([\w/]+)\.js"\)\.\w+', text, re.M)
    where = {name: place for names, place in again for name in names.split(", ")}
    where |= {name: imported[name] for name in own if name != "errors"}
    where |= dict(types) | {"SyncClient": "client", "Options": "client"}
    return {name: module(place)[name] for name, place in where.items()}


def defaults(entry: Entry) -> dict[str, str]:
    """What a constructor takes apart, and what stands for what is left out."""
    source = (CLIENT / f"{entry.module}.js").read_text()
    body = source.partition(f"class {entry.name} ")[2]
    told = re.search(r"^  constructor\(.*?\{ ([^}]+) \} = \{\}\)", body.split("\n}\n")[0], re.M)
    pairs = [part.split(" = ") for part in told[1].split(", ")] if told else []
    return {pair[0]: pair[1] for pair in pairs}
