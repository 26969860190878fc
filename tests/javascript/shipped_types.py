"""The declarations that are shipped: what `client.js` and `worker.js` reach of all that tsc makes.

`make types` writes them with this; `test_javascript` compares them with those in the repository.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENT = ROOT / "django_sync" / "static" / "django_sync"
SHIPPED = CLIENT / "types"
TSC = ROOT / ".node" / "node_modules" / ".bin" / "tsc"
ENTRIES = ("client.d.ts", "worker.d.ts")

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'"(\.{1,2}/[\w./]+)\.js"')


def reached(folder: Path) -> set[Path]:
    """The declarations that the entries import, directly or not; the entries are among them."""
    found = set[Path]()
    remaining = [(folder / name).resolve() for name in ENTRIES]
    while remaining:
        path = remaining.pop()
        if path not in found:
            found.add(path)
            imported = _IMPORT.findall(_COMMENT.sub("", path.read_text()))
            remaining += [(path.parent / f"{name}.d.ts").resolve() for name in imported]
    return found


def make(target: Path) -> None:
    """Write the declarations to `target`, which does not exist yet."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        emitting = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"]
        folders = ["--rootDir", str(CLIENT), "--outDir", str(folder)]
        subprocess.run([str(TSC), "-p", str(HERE), *emitting, *folders], check=True)
        for path in reached(folder):
            written = target / path.relative_to(folder)
            written.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, written)


def main() -> int:
    if SHIPPED.exists():
        shutil.rmtree(SHIPPED)
    make(SHIPPED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
