"""The JavaScript client's reference, made from its declarations, but for what is ``@internal``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .declared import CLIENT, Doc, Entry, Member, defaults, members, module, public

FIRST = ["SyncClient", "Options", "Collection", "LiveQuery", "Record"]
"""What comes first on the page; the rest follows, classes before types."""


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def cell(text: str) -> str:
    return flat(text).replace("|", "\\|")


def plain(kind: str) -> str:
    """A type without the module that the compiler names."""
    return re.sub(r'import\("[^"]+"\)\.', "", kind)


def ticked(kind: str) -> str:
    return f"`{cell(plain(kind))}`" if kind else ""


def table(rows: list[list[str]], *head: str) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def parameters(doc: Doc, given: dict[str, str]) -> Iterator[str]:
    """A table of what is handed in; of one that is taken apart its members."""
    apart = {name.strip("[]").split(".")[0] for name, _, _ in doc.params if "." in name}
    rows = []
    for name, kind, about in doc.params:
        bare = name.strip("[]")
        if bare in apart:
            continue
        bare = bare.split(".")[-1]
        default = f"; `{given[bare]}` without it" if bare in given else ""
        told = f"`{bare}{'?' if name.startswith('[') else ''}`"
        rows.append([told, ticked(kind), cell(f"{about}{default}".removeprefix("; "))])
    if rows:
        yield table(rows, "takes", "type", "")


def told_of(doc: Doc, given: dict[str, str] | None = None, declared: str = "") -> Iterator[str]:
    if doc.text:
        yield "\n\n".join(map(flat, doc.text.split("\n\n")))
    yield from parameters(doc, given or {})
    kind, about = doc.returns or (plain(declared.rpartition("): ")[2]), "")
    if kind not in ("", "void", "Promise<void>"):
        yield f"Returns `{flat(kind)}`{f': {about}' if about else ''}."
    for thrown in doc.throws:
        yield f"Throws {thrown}."


def called(member: Member, owner: str) -> str:
    names = [name for name, _, _ in member.doc.params if "." not in name]
    shown = ", ".join(name.strip("[]") + ("?" if name[0] == "[" else "") for name in names)
    return f"{owner}.{member.name}({shown})"


def class_entry(entry: Entry) -> Iterator[str]:
    parent = re.search(r"extends (\w+)", entry.declared)
    inherited = module(entry.module)[parent[1]].members if parent else []
    all_of = {member.name: member for member in [*inherited, *entry.members]}
    yield f"## `{entry.name}`"
    yield from told_of(entry.doc)
    made = all_of.pop("constructor", None)
    about = {}
    if made is not None:
        about = {name.split(".")[-1].strip("[]"): told for name, _, told in made.doc.params}
        if not made.doc.is_internal:
            yield f"### `new {called(made, '')[1:].replace('constructor', entry.name)}`"
            yield from told_of(made.doc, defaults(entry))
    shown = [one for one in all_of.values() if not one.doc.is_internal]
    taken = set() if made is None or made.doc.is_internal else set(about)
    held = [o for o in shown if not (o.is_method or o.is_static or o.name in taken)]
    if rows := [
        [f"`{one.name}`", ticked(kind_of(one)), cell(one.doc.text or about.get(one.name, ""))]
        for one in held
    ]:
        yield table(rows, "holds", "type", "")
    for one in (one for one in shown if one.is_method):
        owner = entry.name if one.is_static else ""
        yield f"### `{called(one, owner).removeprefix('.')}`"
        yield from told_of(one.doc, declared=one.declared)


def kind_of(member: Member) -> str:
    return member.declared.partition(": ")[2]


def type_entry(entry: Entry) -> Iterator[str]:
    yield f"## `{entry.name}`"
    yield from told_of(entry.doc) if entry.doc.text else ()
    body = entry.declared.partition(" = ")[2].rstrip(";")
    if not body.startswith("{") or re.search(r"^ {4}\[\w+: string\]: any;$", body, re.M):
        yield f"```ts\n{plain(body)}\n```"
        return
    inner = re.sub(r"^ {4}", "", body[1:-1], flags=re.MULTILINE)
    rows = [
        [
            f"`{one.name}{'?' if f'{one.name}?:' in one.declared else ''}`",
            ticked(kind_of(one).removesuffix(" | undefined")),
            cell(one.doc.text),
        ]
        for one in members(inner)
    ]
    yield table(rows, "holds", "type", "")


def function_entry(entry: Entry) -> Iterator[str]:
    names = ", ".join(name for name, _, _ in entry.doc.params)
    yield f"## `{entry.name}({names})`"
    yield from told_of(entry.doc)


def errors() -> Iterator[str]:
    """Those that the client throws, by the classes of ``errors.js``."""
    source = (CLIENT / "errors.js").read_text()
    found = re.findall(
        r"/\*\* ([^/]+?) \*/\nexport class (\w+) extends (\w+) \{\n  static code = \"(\w+)\"",
        source,
    )
    root = module("errors")["SyncError"]
    yield "## `errors`"
    yield (
        "The classes of what is thrown, as `errors.Offline`; what the server answers is listed in "
        "[Errors](../errors.md), by the same codes."
    )
    rows = [
        [f"`{one.name}`", ticked(kind_of(one)), cell(one.doc.text)]
        for one in root.members
        if not (one.is_static or one.doc.is_internal or one.is_method)
    ]
    yield "Each is a `SyncError`, which is an `Error`:"
    yield table(rows, "holds", "type", "")
    yield table(
        [[f"`{name}`", f"`{parent}`", f"`{code}`", cell(doc)] for doc, name, parent, code in found],
        "error",
        "is a",
        "`code`",
        "",
    )


def text(notice: str) -> str:
    """The page."""
    found = public()
    rest = [name for name in found if name not in FIRST]
    by_kind = {"class": class_entry, "type": type_entry, "function": function_entry}
    order = [*FIRST, *sorted(rest, key=lambda name: (found[name].kind == "type", name.lower()))]
    lines = [
        notice,
        "# The JavaScript client",
        "All of this is imported from `client.js`, which Django's staticfiles serve as "
        "`/static/django_sync/client.js`: plain ES modules, no dependency, no build. Types are "
        "imported from the same place: `import { SyncClient, type Status } from …`. How-tos: "
        "[Use the JavaScript client](../howto/web/javascript.md), the "
        "[tutorial](../tutorial-web.md) and [Work offline in a browser](../howto/web/offline.md).",
        "Times are in seconds. A ? marks what may be left out. Callbacks of `on…` are "
        "called after the commit to the store, in the order of the commits.",
    ]
    for name in order:
        lines += by_kind[found[name].kind](found[name])
    return "\n\n".join([*lines, *errors()]) + "\n"
