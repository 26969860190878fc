"""An enumeration of the code as a table of a page."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from typing import Any


def entries(kind: Any, title: str) -> str:
    """Its members with what is written beneath each, under a heading."""
    node = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(node, ast.ClassDef)
    rows = ["| | |", "| --- | --- |"]
    for name, doc in itertools.pairwise(node.body):
        if isinstance(name, ast.Assign) and isinstance(doc, ast.Expr):
            told = re.sub(r"\s+", " ", ast.literal_eval(doc.value)).strip().replace("``", "`")
            rows.append(f"| `{ast.literal_eval(name.value)}` | {told} |")
    return f"## {title}\n\n" + "\n".join(rows)
