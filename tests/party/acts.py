"""What happens at the party, each thing a function of it: guests, other programs, the house."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from django_sync.client import Conflict, Record, Resolution
from django_sync.feed import log as feed_log
from django_sync.feed import sequencer
from django_sync.models import Change, Feed, Generation, ScopeSet
from example_project.boards.models import Board, Card, Comment, Label, Membership

from .party import Act, Guest, Party

COLUMNS = ["todo", "doing", "done"]


# Guests, who know only their own store.


def seen(party: Party, guest: Guest, collection: str) -> Record | None:
    """One of the records that the guest sees, drawn; the older the likelier, so that they meet."""
    records = sorted(guest.see(collection), key=place_of)
    if not records:
        return None
    return records[min(party.random.randrange(len(records)) for _ in range(3))]


def place_of(record: Record) -> list[str]:
    """An order that does not hang on ids, which no seed decides."""
    values = [str(record.object.get(name, "~")) for name in ("created_at", "name", "title", "text")]
    return [*values, record.id]


def guest_creates(party: Party) -> None:
    guest = party.anyone
    kind = party.random.choice(["cards", "cards", "comments", "comments", "labels", "boards"])
    parent = {"cards": "boards", "labels": "boards", "comments": "cards"}.get(kind)
    above = seen(party, guest, parent) if parent else None
    if parent and above is None:
        return
    text = party.mark(guest)
    fields: dict[str, Any] = {}
    match kind:
        case "boards":
            fields = {"name": text}
        case "labels":
            fields = {"name": text, "board": above and above.id}
        case "cards":
            fields = {"title": text, "body": party.mark(guest), "board": above and above.id}
        case "comments":
            fields = {"text": text, "card": above and above.id}
    guest.client.collection(kind).create(fields)


def guest_edits(party: Party) -> None:
    guest = party.anyone
    if card := seen(party, guest, "cards"):
        kinds = ["title", "title", "body", "votes", "column", "labels", "checklist"]
        fields: dict[str, Any] = {}
        for kind in party.random.sample(kinds, party.random.choice([1, 1, 2])):
            fields[kind] = new_value(party, guest, card, kind)
        guest.client.collection("cards").update(card.id, fields)


def new_value(party: Party, guest: Guest, card: Record, kind: str) -> Any:
    match kind:
        case "votes":
            return int(card["votes"]) + 1 if "votes" in card else 1
        case "column":
            return party.random.choice(COLUMNS)
        case "labels":
            labels = guest.client.collection("labels").filter(board=card["board"])
            known = sorted(labels, key=place_of)
            return [label.id for label in party.random.sample(known, min(len(known), 2))]
        case "checklist":
            return [{"text": party.mark(guest), "done": party.random.random() < 0.5}]
    return party.mark(guest)


def guest_edits_others(party: Party) -> None:
    guest = party.anyone
    kind, field = party.random.choice(
        [("boards", "name"), ("labels", "name"), ("comments", "text")]
    )
    if record := seen(party, guest, kind):
        guest.client.collection(kind).update(record.id, {field: party.mark(guest)})


def guest_moves(party: Party) -> None:
    guest = party.anyone
    card, board = seen(party, guest, "cards"), seen(party, guest, "boards")
    if card and board:
        guest.client.collection("cards").update(card.id, {"board": board.id})


def guest_deletes(party: Party) -> None:
    guest = party.anyone
    kind = party.random.choice(["cards"] * 4 + ["comments"] * 4 + ["labels", "boards"])
    if record := seen(party, guest, kind):
        guest.deleted.add((kind, record.id))
        guest.client.collection(kind).delete(record.id)


def guest_errs(party: Party) -> None:
    """Something that the server can only refuse."""
    guest = party.anyone
    if card := seen(party, guest, "cards"):
        wrong: list[dict[str, Any]] = [
            {"title": "x" * 201},
            {"nothing": 1},
            {"created_at": "2020-01-01T00:00:00Z"},
        ]
        wrong += [{"board": str(uuid.uuid4())}, {"labels": [str(uuid.uuid4())]}]
        guest.client.collection("cards").update(card.id, party.random.choice(wrong))


def guest_syncs(party: Party) -> None:
    party.sync(party.anyone)


def guest_syncs_in_peace(party: Party) -> None:
    party.calm_sync(party.anyone)


def guest_settles(party: Party) -> None:
    guest = party.anyone
    if conflicts := guest.client.conflicts:
        conflict = party.random.choice(conflicts)
        if resolution := decision(party, guest, conflict, 0):
            guest.settle(conflict, resolution)


def decision(party: Party, guest: Guest, conflict: Conflict, undecided: int) -> Resolution | None:
    """One of the choices, or none."""
    how = party.random.choice(["server", "client", "merge", *[""] * undecided])
    if how == "merge" and conflict.collection == "cards" and conflict.server is not None:
        return conflict.merge({"title": party.mark(guest)})
    if how == "server":
        return conflict.keep_server()
    return conflict.keep_client() if how else None


def guest_restarts(party: Party) -> None:
    party.anyone.reopen()


def guest_has_two_windows(party: Party) -> None:
    """Another client on the same store syncs and goes."""
    guest = party.anyone
    first, guest.client = guest.client, guest.open()
    try:
        party.sync(guest)
    finally:
        guest.client.close()
        guest.client = first


def guest_resets(party: Party) -> None:
    party.anyone.client.reset()


def network_is_late(party: Party) -> None:
    party.anyone.network.deliver_late()


# Other programs, which know nothing of sync.


def row(party: Party, model: Any) -> Any:
    """A row, drawn; in an order that does not hang on ids."""
    rows = list(model.objects.order_by("pk"))
    return party.random.choice(rows) if rows else None


def orm_saves(party: Party) -> None:
    if card := row(party, Card):
        card.title = party.mark()
        if party.random.random() < 0.3:
            card.column, card.votes = party.random.choice(COLUMNS), card.votes + 1
        card.save(update_fields=party.random.choice([None, ["title"]]))


def marks_for_each(party: Party) -> Concat:
    """A mark that is another one in each row: two rows with one text could not be told apart."""
    start = Value(party.mark().removesuffix("~") + ".")
    return Concat(start, Cast("pk", CharField()), Value("~"), output_field=CharField())


def orm_updates(party: Party) -> None:
    board = row(party, Board)
    cards = Card.objects.filter(board=board)
    match party.random.randrange(3):
        case 0:
            cards.update(votes=F("votes") + 1)
        case 1:
            cards.update(body=marks_for_each(party))
        case 2:
            Comment.objects.filter(card__board=board).update(text=marks_for_each(party))


def orm_creates(party: Party) -> None:
    board = row(party, Board)
    if board is None:
        return
    cards = [Card(board=board, title=party.mark()) for _ in range(party.random.randint(1, 4))]
    Card.objects.bulk_create(cards)
    if card := Card.objects.filter(board=board).order_by("pk").last():
        Comment.objects.create(card=card, author=board.owner, text=party.mark())
        card.labels.set(Label.objects.filter(board=board))
    Label.objects.create(board=board, name=party.mark())


def orm_deletes(party: Party) -> None:
    model = party.random.choice(
        [Card, Card, Comment, Label, Board] if Board.objects.count() > 3 else [Card, Label]
    )
    if found := row(party, model):
        found.delete()


def orm_moves(party: Party) -> None:
    card, board = row(party, Card), row(party, Board)
    if not card or not board:
        return
    if party.random.random() < 0.5:
        card.board = board
        card.save()
        card.drop_foreign_labels()
    else:
        Card.objects.filter(board=card.board).update(board=board)


def orm_makes_board(party: Party) -> None:
    board = Board.objects.create(name=party.mark(), owner=row(party, User))
    card = Card.objects.create(board=board, title=party.mark())
    Comment.objects.create(card=card, author=board.owner, text=party.mark())


def orm_renames(party: Party) -> None:
    """A name stands in many records, so it is no mark: it tells nothing of one of them."""
    name = f"renamed-{party.random.randrange(10**9)}"
    User.objects.filter(pk=row(party, User).pk).update(username=name)


def orm_fails(party: Party) -> None:
    """A transaction that does much and is rolled back."""
    try:
        with transaction.atomic():
            for act in (orm_saves, orm_creates, orm_moves, orm_deletes, membership_changes):
                act(party)
            raise InterruptedError
    except InterruptedError:
        pass


def membership_changes(party: Party) -> None:
    board, user = row(party, Board), row(party, User)
    if board is None:
        return
    found = Membership.objects.filter(board=board, user=user)
    match party.random.randrange(4):
        case 0 | 1 if found.exists():
            found.delete()
        case 2 if found.exists():
            found.update(role=party.random.choice(["editor", "viewer"]))
        case 3 if party.random.random() < 0.3:
            Board.objects.filter(pk=board.pk).update(owner=user)
        case _:
            if not found.exists():
                Membership.objects.create(board=board, user=user, role="editor")


def raw_writes(party: Party) -> None:
    """SQL of a program that was written before sync was."""
    board, card, comment = row(party, Board), row(party, Card), row(party, Comment)
    if not board or not card or not comment:
        return
    with connection.cursor() as cursor:
        match party.random.randrange(5):
            case 0:
                cursor.execute(
                    'INSERT INTO boards_card (board_id, title, body, "column", position, votes,'
                    " checklist, created_at) VALUES (%s, %s, '', 'todo', 0, 0, '[]', %s)",
                    [board.pk, party.mark(), timezone.now()],
                )
            case 1:
                cursor.execute(
                    "UPDATE boards_card SET title = %s WHERE id = %s", [party.mark(), card.pk]
                )
            case 2:
                cursor.execute(
                    "UPDATE boards_card SET board_id = %s WHERE id = %s", [board.pk, card.pk]
                )
            case 3:
                cursor.execute("DELETE FROM boards_comment WHERE id = %s", [comment.pk])
            case 4:
                cursor.execute(
                    "INSERT INTO boards_comment (card_id, author_id, text, created_at)"
                    " VALUES (%s, %s, %s, %s)",
                    [card.pk, board.owner_id, party.mark(), timezone.now()],
                )


# The house: what happens to the server itself.


def some_day(party: Party) -> datetime.date:
    return datetime.date(2026, 1, 1) + datetime.timedelta(days=party.random.randrange(1000))


@contextmanager
def unseen() -> Iterator[None]:
    """Writes of which nothing hears: triggers are off, as where a table was remade."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name = 'boards_card'"
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        for _, sql in triggers:
            cursor.execute(sql)


def house_has_a_gap(party: Party) -> None:
    """A card was written or deleted unseen, and its collection's generation moves on.

    What is written is a field that no guest edits: where nothing raised the revision, nothing
    can tell a guest's mutation that it meets another's write. What is deleted is a card without
    comments, for their collection had no gap.
    """
    with unseen():
        if card := row(party, Card):
            found = Card.objects.filter(pk=card.pk)
            if party.random.random() < 0.5:
                found.update(due=some_day(party))
            else:
                found.filter(comments=None).delete()
    Generation.objects.get_or_create(model="boards.card", defaults={"value": 0})
    Generation.objects.update(value=F("value") + 1)


def house_forgets_sets(party: Party) -> None:
    ScopeSet.objects.all().delete()


def house_prunes(party: Party) -> None:
    """The log is cut off at some place; what is behind it is not served any more."""
    places = list(Change.objects.order_by("position").values_list("position", flat=True))
    if places:
        place = party.random.choice(places[len(places) // 2 :])
        with transaction.atomic():
            Feed.objects.filter(floor__lt=place).update(floor=place)
            Change.objects.filter(position__lt=place).delete()


def house_diverges(party: Party) -> None:
    """Another history stands in the log's place, as after a failover: a card differs, and marks."""
    if Change.objects.update(mark=F("mark") + 1):
        with unseen():
            if card := row(party, Card):
                Card.objects.filter(pk=card.pk).update(due=some_day(party))


def house_restores(party: Party) -> None:
    """A backup comes back: cards fall to lower revisions, and the operator moves the epoch."""
    with unseen():
        Card.objects.filter(sync_revision__gt=1).update(
            sync_revision=F("sync_revision") - 1, due=some_day(party)
        )
        sequencer.sequence()
        feed_log.diverged(feed_log.state()[0].epoch)


GUESTS: Mapping[Act, float] = {
    guest_creates: 9,
    guest_edits: 12,
    guest_edits_others: 3,
    guest_moves: 3,
    guest_deletes: 3,
    guest_errs: 1,
    guest_syncs: 16,
    guest_syncs_in_peace: 3,
    guest_settles: 5,
    guest_restarts: 2,
    guest_has_two_windows: 3,
    guest_resets: 1,
    network_is_late: 3,
}
PROGRAMS: Mapping[Act, float] = {
    orm_saves: 5,
    orm_updates: 2,
    orm_creates: 2,
    orm_deletes: 1.5,
    orm_moves: 3,
    orm_makes_board: 1,
    orm_renames: 1,
    orm_fails: 1,
    membership_changes: 7,
    raw_writes: 5,
}
HOUSE: Mapping[Act, float] = {
    house_has_a_gap: 0.7,
    house_forgets_sets: 0.7,
    house_prunes: 0.7,
    house_diverges: 0.5,
    house_restores: 0.3,
}
ACTS: Mapping[Act, float] = {**GUESTS, **PROGRAMS, **HOUSE}

__all__ = ["ACTS", "decision"]
