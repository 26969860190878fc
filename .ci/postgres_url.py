"""Print the URL of a PostgreSQL that answers and may make databases; print nothing without one.

``TEST_POSTGRES_URL`` names it. Whoever names one wants it tested, so it is an error where that
one does not answer. Otherwise this machine's own server is tried, in the ways that are usual.
"""

import os
import sys

import psycopg

USUAL = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql://postgres:postgres@127.0.0.1:5432/postgres",
    "postgresql://django_sync:django_sync@127.0.0.1:5432/postgres",  # made by .ci/run
)


def refusal(url: str) -> str:
    """Return why ``url`` cannot serve the suite; empty where it can."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error as error:
        return str(error).strip()
    return "" if row and row[0] else "its user may not create databases"


def main() -> int:
    """Find one, print it, and return the exit status."""
    named = os.environ.get("TEST_POSTGRES_URL")
    if named and (reason := refusal(named)):
        print(f"TEST_POSTGRES_URL: {reason}", file=sys.stderr)
        return 1
    print(named or next((url for url in USUAL if not refusal(url)), ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
