"""The example's board is typed as the client is; `test_javascript.py` runs its tests in Node."""

import pytest

from .shipped_types import HERE, TSC
from .test_javascript import node, run


def test_its_types_are_sound() -> None:
    node()
    if not TSC.exists():
        pytest.skip("TypeScript is not in .node")
    run(str(TSC), "-p", str(HERE / "board.tsconfig.json"))
