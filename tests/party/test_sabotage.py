"""The party notices faults: each of these is put into server or client, and a party must fail.

A party that passes proves nothing unless one with a fault in it does not. What only shows
between two connections (positions in another order than commits) or at a kill (a page without
its cursor) is not here, since a party has one connection and ends its guests between
transactions: ``capture/test_concurrency`` and ``test_kill`` hold those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from django_sync import errors
from django_sync.client.store.apply import Applying
from django_sync.client.store.database import Store
from django_sync.client.store.outbox import Outbox
from django_sync.drf.collection import Collection
from django_sync.feed import log as feed_log
from django_sync.feed import pull as feed_pull
from django_sync.protocol import Op, ids
from django_sync.writes.apply import MutationWrite
from django_sync.writes.result_store import ResultStore

from .acts import ACTS, house_diverges, house_has_a_gap
from .holding import STEPS

# A party or two each; what they notice does not depend on the database.
pytestmark = [pytest.mark.slow, pytest.mark.sqlite, pytest.mark.timeout(600)]

SEEDS = range(1, 6)
Patch = pytest.MonkeyPatch
PutIn = Callable[[Patch], None]
SABOTAGES: list[Any] = []
RESTLESS = {**ACTS, house_has_a_gap: 4, house_diverges: 4}


def sabotage(put_in: PutIn) -> PutIn:
    SABOTAGES.append(pytest.param(put_in, ACTS, id=put_in.__name__))
    return put_in


def sabotage_of_what_is_rare(put_in: PutIn) -> PutIn:
    SABOTAGES.append(pytest.param(put_in, RESTLESS, id=put_in.__name__))
    return put_in


def without(changes: Iterable[Any], op: Op) -> list[Any]:
    return [change for change in changes if change.op is not op]


# The server


def server_keeps_silent(patch: Patch, name: str, op: Op) -> None:
    told: Any = getattr(feed_pull, name)
    patch.setattr(feed_pull, name, lambda *args: without(told(*args), op))


@sabotage
def server_forgets_removes(patch: Patch) -> None:
    server_keeps_silent(patch, "gone", Op.REMOVE)


@sabotage
def server_forgets_deletes(patch: Patch) -> None:
    server_keeps_silent(patch, "gone", Op.DELETE)


@sabotage
def server_forgets_drops(patch: Patch) -> None:
    server_keeps_silent(patch, "_removals", Op.DROP)


@sabotage_of_what_is_rare
def server_forgets_begins(patch: Patch) -> None:
    server_keeps_silent(patch, "_removals", Op.BEGIN)


@sabotage
def server_does_not_know_a_repeat(patch: Patch) -> None:
    patch.setattr(ResultStore, "replay", lambda self, mutation: None)


@sabotage
def server_sees_no_overlap(patch: Patch) -> None:
    patch.setattr(MutationWrite, "_resolved", lambda *args: None)


def check_without(kind: type[Exception]) -> Any:
    """A look at a place's history that lets one reason pass."""
    checked = feed_log.checked_state

    def look(place: Any, *seen: Any) -> Any:
        try:
            return checked(place, *seen)
        except kind:
            return feed_log.state()[0]

    return look


@sabotage_of_what_is_rare
def server_takes_cursors_of_another_history(patch: Patch) -> None:
    patch.setattr(feed_log, "checked_state", check_without(feed_log.Diverged))


@sabotage
def server_takes_cursors_that_are_too_old(patch: Patch) -> None:
    patch.setattr(feed_log, "checked_state", check_without(errors.CursorExpired))


@sabotage
def server_takes_a_snapshots_place_after_its_rows(patch: Patch) -> None:
    page = feed_pull.Pull._snapshot

    def late(self: Any, now: Any) -> Any:
        answer = page(self, now)
        place = replace(answer.cursor, position=self.state.head, mark=self.state.mark)
        return replace(answer, cursor=place)

    patch.setattr(feed_pull.Pull, "_snapshot", late)


@sabotage_of_what_is_rare
def server_does_not_mind_a_gap(patch: Patch) -> None:
    patch.setattr(feed_log, "generations", dict)
    look = feed_log.overview_or_none

    def without_generations(*args: Any, **options: Any) -> Any:
        found = look(*args, **options)
        return None if found is None else replace(found, generations={})

    patch.setattr(feed_log, "overview_or_none", without_generations)


@sabotage
def server_shows_what_is_hidden(patch: Patch) -> None:
    def seen(self: Any, caller: Any, ids: Any) -> Any:
        rows = self.model._base_manager.filter(**{f"{self.id_name}__in": ids})
        return self._records(caller, rows)

    patch.setattr(Collection, "seen", seen)


# The client


def client_ignores(patch: Patch, op: Op) -> None:
    changes = Applying.changes

    def some(self: Any, collections: Any) -> None:
        self.page = replace(self.page, changes=tuple(without(self.page.changes, op)))
        changes(self, collections)

    patch.setattr(Applying, "changes", some)


@sabotage_of_what_is_rare
def client_ignores_begin(patch: Patch) -> None:
    client_ignores(patch, Op.BEGIN)


@sabotage
def client_ignores_drop(patch: Patch) -> None:
    client_ignores(patch, Op.DROP)


@sabotage
def client_forgets_what_was_sent(patch: Patch) -> None:
    """What was on its way when the network failed is taken for done."""
    take = Outbox.take

    def once(self: Any, span: range, *args: Any) -> Any:
        with self._store.write() as db:
            db.execute("DELETE FROM outbox WHERE state = 'sent' AND seq >= ?", (span.start,))
        return take(self, span, *args)

    patch.setattr(Outbox, "take", once)


@sabotage
def client_sends_again_under_a_new_id(patch: Patch) -> None:
    take = Outbox.take

    def anew(self: Any, span: range, *args: Any) -> Any:
        with self._store.write() as db:
            sent = db.execute("SELECT seq FROM outbox WHERE state = 'sent'").fetchall()
            for row in sent:
                told = (str(ids.new_id()), row["seq"])
                db.execute("UPDATE outbox SET id = ?, body = NULL WHERE seq = ?", told)
        return take(self, span, *args)

    patch.setattr(Outbox, "take", anew)


@sabotage
def client_keeps_its_own_on_top(patch: Patch) -> None:
    """What was applied stays laid over the record, whatever pages bring."""
    finish = Outbox.finish

    def last(self: Any, db: Any, mutation_id: str, *args: Any) -> Any:
        found = finish(self, db, mutation_id, *args)
        db.execute("UPDATE outbox SET settled_pull = 1e9 WHERE id = ?", (mutation_id,))
        return found

    patch.setattr(Outbox, "finish", last)


@sabotage
def client_does_not_sweep(patch: Patch) -> None:
    complete = Applying.complete

    def kept(self: Any, pull: int) -> None:
        self.db.execute("UPDATE collections SET sweeping = 0")
        complete(self, pull)

    patch.setattr(Applying, "complete", kept)


@sabotage
def client_leaves_deleted_texts_on_the_disk(patch: Patch) -> None:
    patch.setattr(Store, "scrub", lambda self: None)


# The party


@pytest.mark.parametrize(("put_in", "acts"), SABOTAGES)
def test_a_party_notices(put_in: PutIn, acts: Any, hold: Any, monkeypatch: Patch) -> None:
    with monkeypatch.context() as patch:
        put_in(patch)
        for seed in SEEDS:
            try:
                hold(seed, STEPS, acts)
            except Exception:  # noqa: BLE001 - whatever it is, the party has failed
                return
    raise AssertionError(f"none of {SEEDS} noticed")
