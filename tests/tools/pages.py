"""The pages of the docs that are made from the code: `python -m tests.tools.pages` makes them anew.

Each is a function that returns its text from what the code says of itself. ``test_pages`` fails
where a page in ``docs/`` is another. The same text must come out under every Python that we
support, so signatures are read from the source and not from ``inspect``.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REMAKE = "make docs"


def notice(source: str) -> str:
    """The first line of a page that is made."""
    return f"<!-- Made from {source} by `{REMAKE}`. Do not edit. -->"


def flat(text: str) -> str:
    """One paragraph on one line; reST's double backticks become Markdown's."""
    return re.sub(r"\s+", " ", text).strip().replace("``", "`")


# Errors


def errors_page() -> str:
    from django_sync.errors import ClientError, every_error

    found = sorted(every_error(), key=lambda error: error.status)
    sent = [error for error in found if not issubclass(error, ClientError)]
    kept = [error for error in found if issubclass(error, ClientError)]
    lines = [
        notice("django_sync/errors"),
        "# Errors",
        "Each error that the server answers is `application/problem+json` (RFC 9457): `type`, "
        "`title`, `status`, `detail`, and a `code` that stays the same for ever. Programs look at "
        "the code alone. Validation adds `errors`: field name to a list of `{code, detail}`. In a "
        "batch of mutations the same object stands in a result's `problem`, and the status within "
        "it is the one that REST would have answered with.",
        "In Python each is an exception of `django_sync.errors`, a subclass of `SyncError`, on the "
        "server as in the client.",
        "| status | code |\n| --- | --- |\n"
        + "\n".join(
            f"| {status} | " + ", ".join(f"[`{e.code}`](#{e.code})" for e in listed) + " |"
            for status, listed in by_status(sent)
        ),
        "## What the server answers",
        *(entry for error in sent for entry in error_entry(error)),
        "## What the client raises itself",
        "These never cross the wire.",
        *(entry for error in kept for entry in error_entry(error)),
    ]
    return "\n\n".join(lines) + "\n"


def by_status(found: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    for status in sorted({error.status for error in found}):
        yield status, [error for error in found if error.status == status]


def error_entry(error: Any) -> Iterator[str]:
    """Heading, meaning, and what to do about one error."""
    doc = inspect.getdoc(error) or ""
    head, *rest = doc.split("\n\n")
    yield f"### `{error.code}`"
    yield f"**{flat(head)}** " + " ".join(map(flat, rest))
    told = f"Answered with status {error.status}; in" if error.status else "In"
    yield (
        f"- {told} Python `{error.__name__}`.\n"
        f"- Try again: {flat(error.retry.value)}.\n"
        f"- A client: {flat(error.client_does[0].lower() + error.client_does[1:])}"
    )


# Settings


def settings_page() -> str:
    from django_sync.conf import SETTINGS

    lines = [
        notice("django_sync/conf.py"),
        "# Settings",
        "All are keys of one dictionary in the project's settings, and none is needed:",
        "```python\nDJANGO_SYNC = {\n" + '    "PAGE_SIZE": 500,\n' + "}\n```",
        "They are read at each access, so `override_settings` works in tests. A key that is none, "
        "and a value of the wrong type, are [system checks](checks.md).",
    ]
    for setting in SETTINGS.values():
        lines += [
            f"## `{setting.name}`",
            flat(setting.doc),
            f"Type: `{setting.kind.__name__}`. Default: `{json.dumps(setting.default)}`.",
        ]
    return "\n\n".join(lines) + "\n"


# Checks

MESSAGES = {
    "django_sync.E003": "What triggers cannot keep of a model. Each message is explained in "
    "[Which models can be synced](../explanation/which-models.md).",
    "django_sync.E007": "The serializer cannot be made; the message is its own.",
}
"""What stands for a message that another part of the code words."""


def checks_page() -> str:
    trees = [ast.parse(file.read_text()) for file in (ROOT / "django_sync/checks").glob("*.py")]
    found = sorted({id: told for tree in trees for id, told in check_entries(tree)}.items())
    lines = [
        notice("django_sync/checks"),
        "# System checks",
        "`python manage.py check` reports set-up mistakes before they cost anything. An error "
        "stops `runserver` and `migrate`; a warning is something to think about, and is silenced "
        'by its id in `SILENCED_SYSTEM_CHECKS = ["django_sync.W003"]`. Words in *italics* stand '
        "for names of yours.",
    ]
    for id, (message, hint) in found:
        lines += [f"## `{id}`", message]
        if hint:
            lines.append(f"Hint: {hint}")
    return "\n\n".join(lines) + "\n"


def check_entries(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Id, message and hint of each ``checks.Error`` and ``checks.Warning`` in a module."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        given = {word.arg: word.value for word in node.keywords}
        if node.func.attr in ("Error", "Warning") and "id" in given:
            id = ast.literal_eval(given["id"])
            hint = template(given["hint"]) if "hint" in given else ""
            yield id, (MESSAGES.get(id) or template(node.args[0]), hint)


def template(node: ast.expr) -> str:
    """A message as it stands in the source; what is put in at run time is in italics."""
    if isinstance(node, ast.Constant):
        return flat(str(node.value))
    if isinstance(node, ast.JoinedStr):
        parts = [str(p.value) if isinstance(p, ast.Constant) else template(p) for p in node.values]
        return flat("".join(parts))
    if isinstance(node, ast.FormattedValue):
        return template(node.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".join"):
        return "…"
    words = [n for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))]
    names = [n.id if isinstance(n, ast.Name) else n.attr for n in words]
    plain = [name for name in names if not name.startswith("_") and name not in ("str", "sorted")]
    return f"*{plain[0] if plain else '…'}*"


# The Python client


def client_page() -> str:
    from django_sync import client
    from django_sync.client.link.parts import Listener

    inner = {name for name in vars(Listener) if not name.startswith("_")}
    first = ["SyncClient", "Collection", "Query", "Record", "Conflict", "Resolution"]
    names = [*first, *(name for name in client.__all__ if name not in first)]
    lines = [
        notice("the docstrings of django_sync.client"),
        "# The Python client",
        markdown(inspect.getdoc(client) or ""),
        "What it raises is listed in [Errors](../errors.md). All of these are imported from "
        "`django_sync.client`.",
    ]
    for name in names:
        lines += class_entry(getattr(client, name), inner)
    return "\n\n".join(lines) + "\n"


# The link's states


def whole_table() -> dict[Any, dict[Any, Any]]:
    """Where each event leads from each state."""
    from django_sync.client.link.states import Event, State, move

    return {state: {event: move(state, event) for event in Event} for state in State}


def link_page() -> str:
    from django_sync.client.link.states import Act, Event, State, move

    lines = [
        notice("django_sync/client/link/states.py"),
        "# The link's states",
        "What the Python client does by itself after `start()`, as `status.link` shows it. "
        "[Stay in sync in the background](../howto/python-client/background.md) shows its use.",
        *(listed(kind) for kind in (State, Event, Act)),
        "## Diagram\n\nWithout `stop`, which leads from each state to `stopped`.",
        "```mermaid\nstateDiagram-v2\n    [*] --> stopped\n"
        + "\n".join(arrows(whole_table()))
        + "\n```",
        "## Table\n\nRow: the state; column: what happens. – means that nothing changes.",
    ]
    head = "| | " + " | ".join(f"`{state}`" for state in State) + " |"
    rows = [head, "| --- |" + " --- |" * len(State)]
    for event in Event:
        cells = [move(state, event) for state in State]
        told = [
            "–" if to is state and act is Act.GO_ON else f"`{to}`, {act}"
            for state, (to, act) in zip(State, cells, strict=True)
        ]
        rows.append(f"| `{event}` | " + " | ".join(told) + " |")
    return "\n\n".join([*lines, "\n".join(rows)]) + "\n"


# Sessions


def facts() -> list[str]:
    from django_sync.logs import FACTS

    return [f"| `{name}` | {told} |" for name, told in FACTS.items()]


def sessions_page() -> str:
    from dataclasses import replace

    from django_sync.protocol import Network, Transport
    from django_sync.sessions.transport_choice import PREFERENCE, RULES, Situation, choose

    everything = Situation(offered=frozenset(PREFERENCE), able=frozenset(PREFERENCE))
    examples = {
        "wifi, looked at": everything,
        "the client cannot do `sse`": replace(everything, able=everything.able - {Transport.SSE}),
        "the server offers `long-poll` and `poll`": replace(
            everything, offered=frozenset({Transport.LONG_POLL, Transport.POLL})
        ),
        "`websocket` failed": replace(everything, failed=frozenset({Transport.WEBSOCKET})),
        "metered": replace(everything, network=Network(metered=True)),
        "metered, and `websocket` and `sse` failed": replace(
            everything,
            network=Network(metered=True),
            failed=frozenset({Transport.WEBSOCKET, Transport.SSE}),
        ),
        "slow": replace(everything, network=Network(rtt_ms=3000)),
        "in the background": replace(everything, foreground=False),
    }
    rules = ["| when | left out | polls are rarer by | why |", "| --- | --- | --- | --- |"]
    for rule in RULES:
        out = ", ".join(f"`{t}`" for t in PREFERENCE if t in rule.leaves_out)
        rules.append(f"| {rule.when} | {out} | {rule.rarer} | {rule.reason} |")
    rows = [
        "| example | transport | fallback | `poll_interval` | reasons |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, situation in examples.items():
        choice = choose(situation)
        fallback = ", ".join(f"`{t}`" for t in choice.fallback) or "none"
        told = f"{choice.poll_interval} | {' '.join(choice.reasons)}"
        rows.append(f"| {name} | `{choice.transport}` | {fallback} | {told} |")
    lines = [
        notice("django_sync/sessions/transport_choice.py and django_sync/logs.py"),
        "# Sessions and the ladder",
        "A client opens a session, and the answer says which transport to use. "
        "[The protocol](../protocol.md#8-sessions-and-transports) describes requests and answers, "
        "[a decision](../adr/0015-the-ladder-and-sessions.md) the reasons.",
        "## Which transport",
        "The ladder is " + ", ".join(f"`{t}`" for t in PREFERENCE) + ", best first. A transport is "
        "taken from it that the server does not offer "
        "([`TRANSPORTS`](settings.md#transports)), that the client cannot do or that failed "
        "for it, and those that a rule leaves out. The first of what is left is the transport, "
        "the rest the fallback. `poll` is always left.",
        "\n".join(rules),
        "Of several rules that apply the rarest polls count. `upgrade_after` is stretched alike. "
        "Usual are [`POLL_INTERVAL`](settings.md#poll_interval) and "
        "[`UPGRADE_AFTER`](settings.md#upgrade_after).",
        "## Examples",
        "Where server and client can do all, unless the example says otherwise:",
        "\n".join(rows),
        "## What is kept",
        "A row of `SyncSession` for each session: user and client, what the client reported, the "
        "transport, when it was opened, last seen and ended and how, the place in the feed up "
        "to which it has everything or the progress of its snapshot, the code of its last "
        "refusal, and the SHA-256 of a ticket that has not been used. The `push` of a client "
        "is kept apart, as an `Endpoint`.",
        "Presence: a session is seen at each request that names it, and at the heartbeats of a "
        "socket or stream. This is written at most once in "
        "[`SEEN_SECONDS`](settings.md#seen_seconds), by one statement. If the statement fails, the "
        "request does not fail. So times and places are exact to within that.",
        "## How it stands",
        "\n".join(
            [
                "| state | when |",
                "| --- | --- |",
                "| `live` | seen within the time that its transport allows |",
                "| `idle` | silent for longer: [`IDLE_SECONDS`](settings.md#idle_seconds) |",
                "| `ended` | by its client, by the server, replaced by a newer one of its client, "
                "or silent for [`EXPIRE_HOURS`](settings.md#expire_hours) when `sync_prune` ran; "
                "the last kind goes on if the session sends something after all |",
                "| `blocked` | its user or its client is blocked |",
            ]
        ),
        "`sync_prune` deletes a session [`SESSION_DAYS`](settings.md#session_days) after it was "
        "last seen.",
        "## Lag",
        "In changes and in seconds since the first of them was committed. A user’s own list counts "
        "what that user sees, up to 1,000; the admin and `sync_status` count all changes of the "
        "feed. Many of these may not concern the client: its next pull then finds that it lacks "
        "nothing. A client that polls every 30 seconds and is written every 60 may seem to lag "
        "that much.",
        "## Directives",
        "`django_sync.sync` has `block(user=…)`, `block(client=…)`, `unblock(…)`, "
        "`end(session)` and `refresh(client)`; each takes `by=`, the user behind it, and returns "
        "whether anything changed. [The how-to](../howto/operations/sessions.md) shows how to use "
        "them.",
        "## What is logged",
        "By `django_sync.requests`, at `INFO`, a refused request at `WARNING`, one that failed "
        "here at `ERROR`, what a client or its connection does often at "
        "`DEBUG`. Facts that are not known are left out.",
        "\n".join(["| extra | |", "| --- | --- |", *facts()]),
    ]
    return "\n\n".join(lines) + "\n"


def link_vectors() -> str:
    """The same table for other languages' clients: every state and event, one a line."""
    moves = [
        json.dumps({"state": state, "event": event, "to": to, "act": act})
        for state, row in whole_table().items()
        for event, (to, act) in row.items()
    ]
    return "[\n  " + ",\n  ".join(moves) + "\n]\n"


def listed(kind: Any) -> str:
    """An enumeration with what is written beneath each member."""
    from .listing import entries

    titles = {"State": "States", "Event": "Events", "Act": "What is done next"}
    return entries(kind, titles[kind.__name__])


def arrows(table: Any) -> Iterator[str]:
    """A diagram's arrows: one for each pair of states, with all events that lead that way."""
    for state, row in table.items():
        ways: dict[str, list[str]] = {}
        for event, (to, _) in row.items():
            if to is not state and event != "stop":
                ways.setdefault(to, []).append(event)
        yield from (f"    {state} --> {to}: {', '.join(events)}" for to, events in ways.items())


def markdown(doc: str) -> str:
    """A docstring as Markdown: code that is indented gets a fence."""
    out: list[str] = []
    for paragraph in doc.replace("``", "`").split("\n\n"):
        rows = paragraph.splitlines()
        if rows and all(row.startswith("    ") for row in rows):
            text = textwrap.dedent(paragraph)
            if out and out[-1].endswith("\n```"):
                out[-1] = out[-1].removesuffix("\n```") + f"\n\n{text}\n```"
            else:
                out.append(code(text))
        else:
            out.append(paragraph)
    return "\n\n".join(out)


def class_entry(cls: type[Any], inner: set[str]) -> Iterator[str]:
    """Heading, docstring, fields and public methods of a class, but for those named ``inner``."""
    node = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(node, ast.ClassDef)
    yield f"## `{cls.__name__}`"
    made = next((d for d in methods(node, cls) if d.name == "__init__"), None)
    callable_by_users = cls.__name__ == "SyncClient" or cls.__module__.endswith(("auth", "backoff"))
    if made is not None and callable_by_users:
        yield code(f"{cls.__name__}({signature(made)})")
    if inspect.getdoc(cls):
        yield markdown(inspect.getdoc(cls) or "")
    if dataclasses.is_dataclass(cls) and (rows := list(field_rows(node))):
        yield "\n".join(["| attribute | type |", "| --- | --- |", *rows])
    seen = set(inner)
    for method in methods(node, cls):
        if method.name.startswith("_") or method.name in seen or is_overload(method):
            continue
        doc = ast.get_docstring(method)
        if doc is None:
            continue
        seen.add(method.name)
        if any(ast.unparse(d) == "property" for d in method.decorator_list):
            kind = ast.unparse(method.returns) if method.returns else "Any"
            yield f"### `{cls.__name__}.{method.name}`: `{kind}`"
        else:
            yield f"### `{cls.__name__}.{method.name}`"
            back = f" -> {ast.unparse(method.returns)}" if method.returns else ""
            yield code(f"{method.name}({signature(method)}){back}")
        yield markdown(doc)


def code(text: str) -> str:
    return f"```python\n{text}\n```"


def is_overload(method: ast.FunctionDef) -> bool:
    return any(ast.unparse(d) == "overload" for d in method.decorator_list)


def methods(node: ast.ClassDef, cls: type[Any]) -> Iterator[ast.FunctionDef]:
    """The class's functions, then those of its private parents."""
    yield from (part for part in node.body if isinstance(part, ast.FunctionDef))
    for base in cls.__bases__:
        if base.__name__.startswith("_") and base.__module__.startswith("django_sync.client"):
            parent = ast.parse(inspect.getsource(base)).body[0]
            assert isinstance(parent, ast.ClassDef)
            yield from methods(parent, base)


def signature(method: ast.FunctionDef) -> str:
    """The arguments without ``self``, one a line where they are many."""
    arguments = method.args
    arguments.args = [a for a in arguments.args if a.arg != "self"]
    text = re.sub(r"(?<=[^ =])=(?=[^ =])", " = ", ast.unparse(arguments))
    if len(text) <= 70:
        return text
    depth, out = 0, ""
    for sign in text:
        depth += (sign in "[(") - (sign in "])")
        out += ",\n" if sign == "," and depth == 0 else sign
    rows = "\n".join(f"    {row.strip()}" for row in out.splitlines())
    return f"\n{rows},\n"


def field_rows(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            kind = ast.unparse(part.annotation)
            if not part.target.id.startswith("_") and not kind.startswith("ClassVar"):
                yield f"| `{part.target.id}` | `{kind.replace('|', 'or')}` |"


# Guarantees and the tests that hold them

GUARANTEES = {
    1: ("Complete", "each committed change reaches each replica that may see it"),
    2: ("Ordered", "for one object, revisions never fall"),
    3: ("Repeatable", "the same pull or mutation twice is harmless"),
    4: ("Exactly once", "a mutation takes effect at most once"),
    5: ("No silent loss", "an old write never overwrites a newer one unnoticed"),
    6: ("Convergent", "when writing stops, replicas that see alike are alike"),
    7: ("Private", "what leaves a user's view leaves their replicas"),
}


def guarantees_page() -> str:
    named: dict[int, list[tuple[str, str]]] = {number: [] for number in GUARANTEES}
    about: dict[int, list[str]] = {number: [] for number in GUARANTEES}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.parent.name == "docs":
            continue
        tree, place = ast.parse(path.read_text()), str(path.relative_to(ROOT))
        for number in numbers_in(ast.get_docstring(tree) or ""):
            about[number].append(place)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for number in held_by(node):
                    named[number].append((place, node.name))
    lines = [
        notice("the names of the tests"),
        "# Guarantees and their tests",
        "[The protocol](../protocol.md#3-guarantees) says what each guarantee means, and "
        "[How it works](../explanation/how-it-works.md#the-guarantees-and-what-holds-them) how it "
        "is held. A test that holds one has its number in its name, or in its docstring.",
    ]
    for number, (name, meaning) in GUARANTEES.items():
        lines.append(f"## G{number} {name}: {meaning}")
        rows = [f"- `{test}` in `{place}`" for place, test in sorted(named[number])]
        rows += [f"- all of `{place}`" for place in about[number]]
        lines.append("\n".join(rows))
    return "\n\n".join(lines) + "\n"


def held_by(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    """The guarantees that a test names itself after."""
    found = {int(n) for n in re.findall(r"(?<![a-z])g([1-7])(?=_)", node.name)}
    return found | numbers_in(ast.get_docstring(node) or "")


def numbers_in(text: str) -> set[int]:
    """The guarantees that a text names: “G5”, “G1 to G3”."""
    found = {int(n) for n in re.findall(r"\bG([1-7])\b", text)}
    for low, high in re.findall(r"\bG([1-7]) to G([1-7])\b", text):
        found |= set(range(int(low), int(high) + 1))
    return found


# OpenAPI


def openapi_page() -> str:
    """The schema of the example project, as `manage.py spectacular` would write it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    schema = SchemaGenerator().get_schema(public=True)
    text = OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
    return f"# Made from django_sync/http and the example's serializers by `{REMAKE}`.\n{text}"


# Sockets and streams


def asyncapi_page() -> str:
    """The frames of sockets and streams, in the words of the example project."""
    import yaml

    from tests.tools import asyncapi

    text = yaml.safe_dump(asyncapi.document(), sort_keys=False, width=100, allow_unicode=True)
    source = "tests/tools/asyncapi.py, django_sync/realtime and the example's serializers"
    return f"# Made from {source} by `{REMAKE}`.\n{text}"


def sockets_page() -> str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django_sync.feed.cursor import MAX_LENGTH
    from django_sync.realtime import connection, fair_queue, frames, loop_state, websocket
    from django_sync.realtime.close_codes import MEANINGS
    from tests.tools import asyncapi

    found = asyncapi.frames()

    def kinds(by: str) -> str:
        rows = ["| frame | what for | members | over |", "| --- | --- | --- | --- |"]
        for name, frame in found.items():
            if frame.by != by:
                continue
            needed = frame.payload["required"]
            held = ", ".join(
                f"`{member}`" if member in needed else f"`{member}`?"
                for member in frame.payload["properties"]
                if member != "type"
            )
            rows.append(f"| `{name}` | {frame.told} | {held or '–'} | {', '.join(frame.over)} |")
        return "\n".join(rows)

    lines = [
        notice("tests/tools/asyncapi.py and django_sync/realtime"),
        "# Sockets and streams",
        "For authors of clients: what goes over `/sync/live/ws/` and `/sync/live/stream/`. "
        "What it means is in [the protocol](../protocol.md#8-sessions-and-transports), each frame "
        "as a schema in [AsyncAPI 3.0](../asyncapi.yaml).",
        "## Frames of a socket",
        "Each is a text that is a JSON object with a `type`. A member with ? may be missing. What "
        "the client sends may hold no other member, and what the server sends may grow some. An "
        "integer is written without a point.",
        "### From the client",
        kinds("client"),
        "### From the server",
        kinds("server"),
        "`switch` is reserved, and not sent yet.",
        "## Flow control",
        f"The server sends {connection.WINDOW} `changes` frames that are not acknowledged, then "
        "waits; nothing is lost; `welcome` names that `window`. A client sends `ack` with how many "
        "frames it has taken on this connection; one `ack` may stand for several. It may name no "
        "frame that was not sent, and none twice. Frames that stay unacknowledged for a heartbeat "
        "close the socket with 4429. Over a stream a frame counts as taken when it is sent.",
        "An `ack` for each frame would cost the server more than the frame. So the clients "
        "acknowledge when half of the window is used, and at the latest when a frame has waited "
        "for a third of the heartbeat. A client that waits for a cursor acknowledges at once.",
        "The server sends a `cursor` after an acknowledgement, at most once a second. It covers "
        "all frames that were sent before it. Each page of a catch-up is followed by its cursor at "
        "once, and each heartbeat sends one if the place has moved. A client that stops before its "
        "cursor has come gets those frames again: at most those of a third of a heartbeat and one "
        "second. This is harmless, since changes are whole records and tombstones.",
        f"Batches are carried out in their order. {websocket.MUTATES} of one socket may wait, and "
        "the next begins when what was answered before has been taken.",
        "## Heartbeat",
        "`welcome` says how many seconds a heartbeat is "
        "([`HEARTBEAT`](settings.md#heartbeat)). A client that has nothing to say sends `ping` "
        "once in each; any frame counts. Over a stream the server sends a comment at each. A "
        "client that has received nothing for two heartbeats connects again. At each heartbeat "
        "the server checks again what the user may see.",
        "## Limits",
        "\n".join(
            [
                "| what | how much | above it |",
                "| --- | --- | --- |",
                "| a frame | [`BODY_BYTES`](settings.md#body_bytes), in UTF-8 | 4400 `too_large` |",
                "| frames a second | [`SOCKET_FRAMES`](settings.md#socket_frames), twice as many "
                "at once | 4429 |",
                f"| bytes a second that a user sends in frames of {loop_state.LARGE // 1024} KiB "
                f"and more | {loop_state.BYTES_PER_SECOND // 1024} KiB | wait their time; "
                "above a heartbeat of it 4429 |",
                f"| batches of a socket that wait | {websocket.MUTATES} | 4429 |",
                f"| events that wait for a client to take them | {connection.MOST_UNSENT} | 4429 |",
                "| connections of a user in a process | "
                "[`CONNECTIONS_PER_USER`](settings.md#connections_per_user) | 4429, a stream 429 |",
                "| handshakes of an address that wait | "
                f"{fair_queue.MOST_HANDSHAKES} | 1013, stream 503 |",
                f"| `cursor` | {MAX_LENGTH} characters | 4400 `invalid_cursor` |",
                f"| `collections` | {frames.MOST_NAMES} names | 4400 `invalid` |",
                f"| `ref` | {frames.MOST_REF} characters, or an integer up to 2⁵³ − 1 | 4400 |",
            ]
        ),
        "What of `mutate` is wrong beyond its `ref` is answered with an `error` frame of that "
        "`ref`, and the socket stays open; see [Errors](../errors.md) for the codes.",
        "## Close codes",
        "An `error` frame without `ref` comes before, where there is more to say.",
        "| code | |\n| --- | --- |\n"
        + "\n".join(f"| {code} | {told} |" for code, told in sorted(MEANINGS.items())),
        "Any other is the web server's own: 1009 for a message above its limit, 1011 for pings "
        "of WebSocket's own that were not answered.",
    ]
    return "\n\n".join(lines) + "\n"


# Write paths, of which each is a test


def write_paths_page() -> str:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.integration.capture.paths import PATHS

    lines = [
        notice("tests/integration/capture/paths.py"),
        "# Which writes are seen",
        "Each row is a test on each database. A write that is *seen* raises the revision and "
        "enters the feed in the object's scope; other writes do not. – means that the database has "
        "no such thing. Migrations are [a page of their own](../howto/server/migrations.md).",
    ]
    groups = dict.fromkeys(entry.group for entry in PATHS)
    for group in groups:
        rows = ["| write | what is reported | SQLite | PostgreSQL |", "| --- | --- | --- | --- |"]
        rows += [
            f"| {e.name} | {e.about}{f'. Instead: {e.instead}' if e.instead else ''} "
            f"| {e.sqlite} | {e.postgresql} |"
            for e in PATHS
            if e.group == group
        ]
        lines += [f"## {group}", "\n".join(rows)]
    return "\n\n".join(lines) + "\n"


# Outbound calls, of which each line is tried


def outbound_page() -> str:
    from tests.integration.push_cases import FORGERIES, URLS

    lines = [
        notice("tests/integration/push_cases.py"),
        "# What was tried against outbound calls",
        "Users name the addresses of wake-ups. The test suite tries each line. "
        "[Security](../explanation/security.md#outbound-calls) says how calls are made, "
        "[Wake clients that sleep](../howto/server/push.md) how to turn them on.",
        "## Addresses",
        "Nothing is sent to any of these, and no connection is tried, unless "
        "[`PUSH_ALLOW_PRIVATE`](../reference/settings.md#push_allow_private) is on. If the last "
        "column names no address, the URL is refused without a look-up.",
        "| tried | URL | which resolves to |\n| --- | --- | --- |\n"
        + "\n".join(
            f"| {about} | `{visible(url)}` | {', '.join(f'`{one}`' for one in found) or '–'} |"
            for about, url, found in URLS
        ),
        "And both ends of each network that `django_sync/push/address.py` lists; a name whose "
        "second look-up gives another address (it is looked up once); a redirect to an inner "
        "address (none is followed); an answer that drips, that never ends, that is no HTTP; a "
        "certificate of another name; a proxy in the environment.",
        "## Signatures",
        "A receiver that asks `verify()` takes none of these for a webhook of ours:",
        "\n".join(f"- {about}" for about, *_ in FORGERIES),
        f"{len(URLS) + len(FORGERIES)} lines.",
    ]
    return "\n\n".join(lines) + "\n"


def visible(url: str) -> str:
    """A URL with what cannot be seen spelt out, and not too long."""
    told = url.encode("unicode_escape").decode().replace("|", "\\|")
    return told if len(told) < 60 else told[:40] + "…"


# The permission matrix, of which each cell is asked


def permissions_page() -> str:
    from tests.integration.permissions import COLLECTIONS, MATRIX, SESSIONS, WHO

    lines = [
        notice("tests/integration/permissions.py"),
        "# Who may do what in the example",
        "The test suite asks each cell, by each of the paths that are named, and gets this answer. "
        "After each refusal all tables are as they were, and no answer names what is hidden. "
        "[Who may see and write what](../howto/server/access.md) shows how to write such rules, "
        "and [Security](../explanation/security.md) what else holds.",
        "*yes* means that it is done, *shown* and *hidden* that it is among the answer's objects "
        "or is not. A number is the status of a refusal: over REST that of the answer, in a batch "
        "that of the mutation's `problem`; but a batch without a signed-in user is 401 itself. "
        "401 is `not_authenticated`, 403 `permission_denied` (of somebody else's client "
        "`client_mismatch`), 404 `not_found`, 422 `validation_failed`: a reference to a "
        "hidden object is answered like one to nothing.",
        "| user | |\n| --- | --- |\n"
        + "\n".join(f"| {name} | {about} |" for name, about in WHO.items()),
    ]
    for collection in (*COLLECTIONS, SESSIONS):
        found = [entry for entry in MATRIX if entry.collection == collection]
        rows = [
            "| operation | object | by | " + " | ".join(WHO) + " |",
            "| --- | --- | --- |" + " --- |" * len(WHO),
            *(
                f"| {entry.operation} | {entry.object} | {', '.join(entry.paths)} | "
                + " | ".join(
                    told if isinstance(told, str) else str(told[0])
                    for told in (entry.answers[who] for who in WHO)
                )
                + " |"
                for entry in found
            ),
        ]
        lines += [f"## {collection}", "\n".join(rows)]
    asked = sum(len(entry.paths) for entry in MATRIX) * len(WHO)
    lines.append(f"{asked} cells.")
    return "\n\n".join(lines) + "\n"


# What becomes of conflicts, of which each cell is played


def conflicts_page() -> str:
    from .conflicts import text

    return text(notice("tests/integration/conflicts.py"))


# Wake-ups and the network


def wakeups_page() -> str:
    from .wakeups import text

    return text(notice("django_sync/client/link/wakeups.py and net/network_state.py"))


def wakeups_vectors() -> str:
    from . import wakeups

    return wakeups.wakeups_vectors()


def reach_vectors() -> str:
    from . import wakeups

    return wakeups.reach_vectors()


# The JavaScript client, whose declarations are read


def javascript_page() -> str:
    from .javascript import text

    return text(notice("the JSDoc of django_sync/static/django_sync"))


PAGES: dict[str, Callable[[], str]] = {
    "docs/errors.md": errors_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/checks.md": checks_page,
    "docs/reference/python-client.md": client_page,
    "docs/reference/javascript-client.md": javascript_page,
    "docs/reference/link.md": link_page,
    "docs/reference/sessions.md": sessions_page,
    "docs/reference/wake-ups.md": wakeups_page,
    "tests/vectors/link.json": link_vectors,
    "tests/vectors/wakeups.json": wakeups_vectors,
    "tests/vectors/reach.json": reach_vectors,
    "docs/evidence/guarantees.md": guarantees_page,
    "docs/reference/sockets.md": sockets_page,
    "docs/openapi.yaml": openapi_page,
    "docs/asyncapi.yaml": asyncapi_page,
    "docs/evidence/write-paths.md": write_paths_page,
    "docs/evidence/outbound.md": outbound_page,
    "docs/evidence/permissions.md": permissions_page,
    "docs/evidence/conflicts.md": conflicts_page,
}


def main() -> int:
    """Write every page that is not as it should be."""
    for path, page in PAGES.items():
        file, text = ROOT / path, page()
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
