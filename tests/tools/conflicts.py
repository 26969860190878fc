"""The text of ``docs/evidence/conflicts.md``, from the rows that ``test_conflict_table`` plays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.integration.conflicts import (
    BEFORE,
    CLOCKS,
    EVERY,
    KINDS,
    LEAVES,
    MERGED,
    POLICIES,
    SERVER,
    Kind,
    Row,
    Values,
)

BOTH = f"{POLICIES['first']}; {POLICIES['last']}"
HEAD = ("policy", "Ada's mutation is", "Ada's user", "the card in the end", "`Decision`")


def text(notice: str) -> str:
    """The page."""
    cells = sum(len(row.policies) for kind in KINDS for row in kind.rows) + len(CLOCKS)
    labels = ", ".join(BEFORE["labels"])
    parts = [
        notice,
        "# Two clients offline on one card",
        f"Ada and Grace both have the card “{BEFORE['title']}” of the example on their machines: "
        f"its body is “{BEFORE['body']}”, its board {BEFORE['board']}, its label {labels}. Both go "
        "offline and write. Grace comes online first, then Ada. The result depends on what "
        "they did, which is a table below each, and on the policy, which is a resolver that stands "
        "for all fields and for deletes. [Settle conflicts](../howto/server/conflicts.md) shows "
        "how to choose one.",
        "The test suite plays each row, with two Python clients and the example over HTTP. In the "
        "end the server's row and both replicas are equal, both outboxes are empty and nothing is "
        f"rejected. If Ada's user {LEAVES}, one conflict is open in her client, and her own "
        "change stays on top of the server's state, visible only to her; else none is open.",
        "- *Ada's mutation is* `applied` (as she asked), `merged` (others had written, and it is "
        "settled) or `conflict` (nothing is written, and her user is asked).\n"
        "- *Ada's user* is what her program answers to the open conflict; if the server settles "
        f"it, nobody is asked. `merge` is with the title “{MERGED['title']}”.\n"
        "- *The card in the end* is shown by its title; body, board and labels are as before if "
        "they are not named.\n"
        "- *`Decision`* is what the server keeps: both sides' values, and who decided. Of "
        f"{SERVER} the server learns nothing, because it makes no mutation: the decision stays "
        "open until Ada's client writes to the card again, or staff settle it in the admin.\n"
        "- *Ada wrote first*, or *last*: before or after Grace's change reached the server.",
    ]
    for kind in KINDS:
        parts += [f"## {kind.name}", about(kind), table(HEAD, (line(kind, r) for r in kind.rows))]
    clocks = (
        (f"is {clock.told}", "last" if clock.wrote_last else "first", f"“{clock.card['title']}”")
        for clock in CLOCKS
    )
    parts += [
        "## What a wrong clock does",
        "Both change the title under `LastWrite()`; Ada's is “Check pump 9”. A clock that is ahead "
        "makes her change as late as its arrival, one that is behind as early as the card that "
        "she saw.",
        table(("Ada's clock", "she wrote", "the card in the end"), clocks),
        f"{cells} cells.",
    ]
    return "\n\n".join(parts) + "\n"


def about(kind: Kind) -> str:
    return kind.told if kind.word is None else f"{kind.told} The conflict is `{kind.word}`."


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(head)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def line(kind: Kind, row: Row) -> Iterator[str]:
    """One row of a kind's table."""
    listed = "; ".join(POLICIES[policy] for policy in row.policies)
    yield "any" if row.policies == EVERY else listed.replace(BOTH, "`LastWrite()`")
    yield f"`{row.answer}`"
    yield row.choice or "is not asked"
    card = shown(row.card, kind)
    seen = "it deleted" if row.ada is None else shown(row.ada, kind)
    yield card if row.ada == row.card else f"{card}; Ada sees {seen}"
    if row.by == "resolver":
        yield f"by the policy; lost: {lost(kind, row)}"
    else:
        yield {None: "–", "": "open", "client": "by Ada's user"}[row.by]


def shown(values: Values, kind: Kind) -> str:
    """A card in words: its title, and whatever else is told of it."""
    if values is None:
        return "deleted"
    told = [f"“{values.get('title', BEFORE['title'])}”"]
    if "body" in values and (values["body"] or kind.before is not None):
        told.append(f"body “{values['body']}”" if values["body"] else "no body")
    if "board" in values:
        told.append(f"on {values['board']}")
    if values.get("labels") == [] and kind.before is not None:
        told.append("no label")
    return ", ".join(told)


def lost(kind: Kind, row: Row) -> str:
    """The value that the ``Decision`` has besides the one that stands."""
    assert kind.sides is not None
    found = []
    for server, client in kind.sides.values():
        who, value = ("Ada", client) if row.kept == "server" else ("Grace", server)
        values = {"title": value} if isinstance(value, str) else value
        told = "deletion" if values is None else shown(values, kind)
        found.append(f"{who}'s {told}")
    return ", ".join(found)
