"""The suite on each supported pair of Python and Django, and on the lowest of all we ask for.

    nox                          all of it; a Python that is not here is left out, and said
    nox -s lowest                one session
    nox -s newest-3.13 -- tests/unit -k cursor

Each runs on SQLite and, where .ci/postgres_url.py finds one, on PostgreSQL, without what is slow:
that is `make test`'s. This file knows no version but Django's; the rest is pyproject.toml's.
"""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

USED = ("client", "openapi", "postgresql", "realtime", "demo")
"""The extras that the suite runs with."""
PLANNED = {
    "push": ("celery",),
}
"""The extras that nothing imports yet: that their bounds can be met is all there is to see."""


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """The lower bounds, to the letter: Python's, Django's, and each library's."""
    session.install("--editable", ".[dev]", "--constraint", str(lower_bounds(session, *USED)))
    run_suite(session)


@nox.session(python="3.12")
def middle(session: nox.Session) -> None:
    """Between the ends."""
    session.install("--editable", ".[dev]", "Django~=6.0.0")
    run_suite(session)


@nox.session(python=["3.13", "3.14"])
def newest(session: nox.Session) -> None:
    """The newest of everything."""
    session.install("--upgrade", "--editable", ".[dev]", "Django~=6.1.0")
    run_suite(session)


@nox.session(python="3.11")
def planned(session: nox.Session) -> None:
    """The extras that nothing uses yet can be had, and stand beside the lowest Django."""
    bounds = lower_bounds(session, *PLANNED)
    session.install("--editable", f".[{','.join(PLANNED)}]", "--constraint", str(bounds))
    session.run("uv", "pip", "check", external=True)
    for module in (name for names in PLANNED.values() for name in names):
        session.run("python", "-c", f"import {module}")


def lower_bounds(session: nox.Session, *extras: str) -> Path:
    """What pyproject.toml asks for at least, as constraints."""
    found = Path(session.create_tmp()) / "lowest.txt"
    session.run_install(
        *("uv", "pip", "compile", "--resolution", "lowest-direct"),
        *(part for extra in extras for part in ("--extra", extra)),
        *("--python-version", str(session.python), "--no-header", "--no-annotate"),
        *("--output-file", str(found), "pyproject.toml"),
        external=True,
    )
    return found


def run_suite(session: nox.Session) -> None:
    """On SQLite all that is quick; on PostgreSQL what touches a database, as in the Makefile."""
    session.run("python", "-c", "import django, sys; print(sys.version, django.__version__)")
    suite(session, "", "postgresql", *(session.posargs or ["tests"]))
    url = session.run("python", ".ci/postgres_url.py", silent=True)
    if url and url.strip():
        on_postgres = session.posargs or ["tests/integration", "tests/party"]
        suite(session, url.strip(), "sqlite", *on_postgres)
    else:
        session.warn("PostgreSQL was NOT tested: none answers (set TEST_POSTGRES_URL)")


def suite(session: nox.Session, url: str, other: str, *arguments: str) -> None:
    """One pass."""
    quick = f"not soak and not slow and not {other}"
    # 5: none of the tests that were asked for is about this database.
    session.run(
        *("pytest", "-n", "auto", "-m", quick, *arguments),
        env={"DATABASE_URL": url, "ROWS_AT_SIZE": "100000"},
        success_codes=[0, 5],
    )
