"""The staircase of the architecture: import-linter's contracts in pyproject.toml hold, and bite."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint_imports(where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache", "--no-logo"],
        cwd=where,
        env={**os.environ, "PYTHONPATH": str(where)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("protocol/words.py", "import django"),
        ("protocol/words.py", "from .. import models"),
        ("client/reader.py", "import rest_framework"),
        ("client/reader.py", "from .. import fields"),
        ("merge/text.py", "import celery"),
        ("models.py", "import rest_framework"),
        ("models.py", "from . import testing"),
        ("nowhere.py", "import django_sync.errors"),
    ],
)
def test_a_look_upstairs_is_found(path: str, line: str, tmp_path: Path) -> None:
    package = tmp_path / "django_sync"
    shutil.copytree(ROOT / "django_sync", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("client", "merge", "testing"):
        (package / folder).mkdir(exist_ok=True)
        (package / folder / "__init__.py").touch()
    with (package / path).open("a") as file:
        file.write(f"\n{line}\n")

    result = lint_imports(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
