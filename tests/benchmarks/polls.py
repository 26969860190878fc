"""What a poll costs under ASGI: through Django's own handler, and through ``live``.

    DATABASE_URL=postgresql://… python -m tests.benchmarks.polls [--polls 1500] [--kept]

Four clients poll for nothing over HTTP; the server, uvicorn, is another for each turn (A B B A).
Prints the process's CPU for one poll and its peers' wall time. ``--kept`` lets the
site keep its database connections (``CONN_MAX_AGE``). Figures are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx2

from tests.benchmarks.first_pull import MIGRATE, cpu, database, environment, free_port, run, server
from tests.benchmarks.waiting import USER

CLIENTS = 4
TURNS = ("django", "asgi", "asgi", "django")


async def polls(port: int, token: str, number: int) -> tuple[int, list[float]]:
    """How many connections to the database there were at most, and how long each poll took."""
    took: list[float] = []
    headers = {"Authorization": f"Token {token}"}
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/sync/", headers=headers, timeout=60
    ) as http:
        page = (await http.get("changes/")).raise_for_status().json()

        async def client() -> None:
            for _ in range(number // CLIENTS):
                began = time.perf_counter()
                answer = await http.get("changes/", params={"cursor": page["cursor"]})
                assert answer.raise_for_status().json()["changes"] == []
                took.append(time.perf_counter() - began)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(took), took


def turn(kind: str, env: dict[str, str], token: str, number: int) -> dict[str, float]:
    port = free_port()
    with server(kind, port, env) as pid:
        asyncio.run(polls(port, token, 100))
        before = cpu(pid)
        count, took = asyncio.run(polls(port, token, number))
        spent = cpu(pid) - before
    return {"cpu_ms": 1000 * spent / count, "wall_p50_ms": 1000 * statistics.median(took)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--polls", type=int, default=1500)
    parser.add_argument("--kept", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        env = environment(Path(name))
        if asked.kept:
            env["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.kept"
        with database(env):
            run(MIGRATE, env)
            token = run(USER, env).split()[-1]
            for kind in TURNS:
                told = turn(kind, env, token, asked.polls)
                line = {"server": kind, "load": round(os.getloadavg()[0], 1)}
                print(json.dumps(line | {k: round(v, 2) for k, v in told.items()}), flush=True)


if __name__ == "__main__":
    main()
