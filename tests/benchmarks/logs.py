"""What the log costs a request: one line of ``django_sync.requests``, as JSON, text, or unread.

    python -m tests.benchmarks.logs

Prints microseconds a line, the best of five, written to the null device. Figures are this
machine's.
"""

from __future__ import annotations

import json
import logging
import os
import timeit
import uuid

from django_sync import logs

TIMES = 20_000
PULL = {
    "call": "sync_pull",
    "method": "GET",
    "status": 200,
    "code": None,
    "duration_ms": 12.3,
    "user": 4711,
    "client": str(uuid.uuid4()),
    "session": str(uuid.uuid4()),
}
MUTATIONS = PULL | {
    "call": "sync_mutations",
    "method": "POST",
    "mutations": [str(uuid.uuid4()) for _ in range(logs.MOST_MUTATIONS)],
    "mutation_count": 100,
}


def microseconds(facts: dict[str, object]) -> float:
    """Of one line with these facts."""
    best = min(timeit.repeat(lambda: logs.tell(logging.INFO, facts), number=TIMES, repeat=5))
    return round(best / TIMES * 1e6, 1)


def main() -> None:
    with open(os.devnull, "w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        logs.requests.addHandler(handler)
        logs.requests.propagate = False
        told = {}
        for name, formatter, level in (
            ("nobody reads it", None, logging.WARNING),
            ("text", logging.Formatter("%(asctime)s %(levelname)s %(message)s"), logging.INFO),
            ("JSON", logs.JsonFormatter(), logging.INFO),
        ):
            handler.setFormatter(formatter)
            logs.requests.setLevel(level)
            told[name] = {"a pull": microseconds(PULL), "100 mutations": microseconds(MUTATIONS)}
        logs.requests.removeHandler(handler)
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
