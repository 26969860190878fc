"""The client's modules import downwards only: no cycle, and no room imports one above it."""

from __future__ import annotations

import re
from functools import cache

import pytest

from .shipped_types import CLIENT

_IMPORT = re.compile(r'^(?:import|export) [^;]*?from "(\.[^"]+)";', re.MULTILINE | re.DOTALL)

ROOMS = [
    ["worker.js"],
    ["client.js"],
    ["parts.js"],
    ["observers.js"],
    ["link/"],
    ["net/"],
    ["collection.js", "livequery.js", "callbacks.js", "conflicts.js", "store/", "auth.js"],
    ["backoff.js", "errors.js", "ids.js", "log.js", "types.js", "waker.js"],
]
"""From top to bottom. A module imports from its own row or from rows below."""

BELOW = {("types.js", "store/encoding.js")}
"""Records freeze and compare their JSON values."""


@cache
def imports() -> dict[str, list[str]]:
    found = {}
    for path in sorted(CLIENT.rglob("*.js")):
        targets = [path.parent / name for name in _IMPORT.findall(path.read_text())]
        name = path.relative_to(CLIENT).as_posix()
        found[name] = [target.resolve().relative_to(CLIENT).as_posix() for target in targets]
    return found


def row_of(name: str) -> int:
    [found] = [
        row
        for row, parts in enumerate(ROOMS)
        if any(name == part or (part.endswith("/") and name.startswith(part)) for part in parts)
    ]
    return found


def cycle(name: str, path: tuple[str, ...], done: set[str]) -> tuple[str, ...] | None:
    if name in path:
        return (*path[path.index(name) :], name)
    if name in done:
        return None
    done.add(name)
    found = (cycle(target, (*path, name), done) for target in imports()[name])
    return next((one for one in found if one), None)


def test_no_modules_import_each_other() -> None:
    done = set[str]()
    assert [one for name in imports() if (one := cycle(name, (), done))] == []


def test_no_room_imports_one_above_it() -> None:
    upwards = [
        (name, target)
        for name, targets in imports().items()
        for target in targets
        if row_of(target) < row_of(name) and (name, target) not in BELOW
    ]
    assert upwards == []


@pytest.mark.parametrize("name", ["client.js", "worker.js"])
def test_the_public_modules_stay_in_the_root(name: str) -> None:
    assert (CLIENT / name).is_file()


def test_no_module_is_longer_than_400_lines() -> None:
    long = [name for name in imports() if (CLIENT / name).read_text().count("\n") > 400]
    assert long == []
