"""What a transaction may do, by the plain ORM; each act notes what it has written."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from example_project.boards.models import Board, Card, Comment, Label

from .hand import Hand, Undone, free, note_deleted, note_steps

MOST = 120
"""Cards above which a writer makes no more."""


def create(hand: Hand) -> None:
    if len(hand.cards) > MOST:
        return
    card = Card.objects.create(board=hand.board(), title=hand.mark)
    hand.note(Card.objects.filter(pk=card.pk))


def create_many(hand: Hand) -> None:
    if len(hand.cards) > MOST:
        return
    board, mark = hand.board(), hand.mark
    cards = Card.objects.bulk_create(Card(board=board, title=mark) for _ in range(5))
    hand.note(Card.objects.filter(title=mark))
    author = User.objects.get(username="ada")
    Comment.objects.bulk_create(Comment(card=c, author=author, text=mark) for c in cards[:3])
    hand.note(Comment.objects.filter(text=mark))


def save(hand: Hand) -> None:
    """The whole row from an instance that others have overtaken, moved, or deleted meanwhile."""
    card = Card.objects.get(pk=hand.card())
    hand.pause()
    now = Card.objects.select_for_update().filter(pk=card.pk).first()
    card.title = hand.mark
    card.save(force_insert=now is None)
    hand.note(Card.objects.filter(title=card.title))
    if now is not None and now.board_id != card.board_id:
        hand.note(Comment.objects.filter(card=card))


def save_a_field(hand: Hand) -> None:
    card = Card.objects.get(pk=hand.card())
    card.body = hand.mark
    card.save(update_fields=["body"], force_update=True)
    hand.note(Card.objects.filter(body=card.body))


def vote(hand: Hand) -> None:
    mark = hand.mark
    Card.objects.filter(pk=hand.card()).update(votes=F("votes") + 1, body=mark)
    hand.note(Card.objects.filter(body=mark))


def update_some(hand: Hand) -> None:
    mark, votes = hand.mark, hand.chance.randrange(3)
    free().filter(board=hand.board(), votes__lte=votes).update(body=mark)
    hand.note(Card.objects.filter(body=mark))


def update_each(hand: Hand) -> None:
    cards = list(free().filter(board=hand.board())[:6])
    mark = hand.mark
    for card in cards:
        card.body = mark
    if cards:
        Card.objects.bulk_update(cards, ["body"])
    hand.note(Card.objects.filter(body=mark))


def move(hand: Hand) -> None:
    """A card to another board, and its comments with it."""
    card = Card.objects.select_for_update().get(pk=hand.card())
    board = hand.board()
    if board.pk != card.board_id:
        card.board, card.title = board, hand.mark
        card.save()
        hand.note(Card.objects.filter(title=card.title))
        hand.note(Comment.objects.filter(card=card))


def move_some(hand: Hand) -> None:
    """Without looking first: whichever of them are on another board by then."""
    cards, board, mark = hand.cards, hand.board(), hand.mark
    drawn = hand.chance.sample(cards, min(3, len(cards)))
    Card.objects.filter(pk__in=drawn).exclude(board=board).update(board=board, title=mark)
    hand.note(Card.objects.filter(title=mark))
    hand.note(Comment.objects.filter(card__title=mark))


def comment(hand: Hand) -> None:
    author = User.objects.get(username=hand.chance.choice(["ada", "grace", "alan"]))
    made = Comment.objects.create(card_id=hand.card(), author=author, text=hand.mark)
    hand.note(Comment.objects.filter(pk=made.pk))


def edit(hand: Hand) -> None:
    mark = hand.mark
    Comment.objects.filter(card=hand.card()).update(text=mark)
    hand.note(Comment.objects.filter(text=mark))


def put_on(hand: Hand) -> None:
    """A comment from one card to another, which may itself be moving."""
    found = Comment.objects.filter(card=hand.card()).first()
    if found is not None:
        found.card_id, found.text = hand.card(), hand.mark
        found.save(update_fields=["card", "text"], force_update=True)
        hand.note(Comment.objects.filter(text=found.text))


def label(hand: Hand) -> None:
    """Other labels on a card: changes of the card, of which it may be several."""
    card = Card.objects.select_for_update().get(pk=hand.card())
    labels = list(Label.objects.order_by("pk"))
    card.labels.set(hand.chance.sample(labels, 2))
    after, scope = Card.objects.values_list("sync_revision", "sync_scope").get(pk=card.pk)
    note_steps(hand, card, after, scope)


def delete(hand: Hand) -> None:
    card = Card.objects.select_for_update().get(pk=hand.card())
    comments = list(card.comments.select_for_update())
    card.delete()
    note_deleted(hand, [card, *comments])


def delete_some(hand: Hand) -> None:
    if len(hand.cards) < MOST // 4:
        return
    drawn = hand.chance.sample(hand.cards, 4)
    cards = list(Card.objects.select_for_update().filter(pk__in=drawn))
    comments = list(Comment.objects.select_for_update(of=("self",)).filter(card__in=cards))
    Card.objects.filter(pk__in=drawn).delete()
    note_deleted(hand, [*cards, *comments])


def open_board(hand: Hand) -> None:
    """A scope that comes, for Ada alone, and that others may move cards to."""
    if Board.objects.count() > 12:
        return
    board = Board.objects.create(name="passing", owner=User.objects.get(username="ada"))
    hand.note(Board.objects.filter(pk=board.pk))
    Card.objects.bulk_create(Card(board=board, title=hand.mark) for _ in range(3))
    hand.note(Card.objects.filter(board=board))


def close_board(hand: Hand) -> None:
    """A scope that goes, with all that is in it by then."""
    board = Board.objects.select_for_update().filter(name="passing").first()
    if board is None:
        return
    cards = list(board.cards.select_for_update())
    comments = list(Comment.objects.select_for_update(of=("self",)).filter(card__in=cards))
    board.delete()
    note_deleted(hand, [board, *cards, *comments])


def rename_board(hand: Hand) -> None:
    mark = hand.mark
    boards = Board.objects.exclude(name="passing").order_by("pk")
    Board.objects.filter(pk=hand.chance.choice(boards).pk).update(name=mark)
    hand.note(Board.objects.filter(name=mark))


def cross(hand: Hand) -> None:
    """Two cards that others write too, in either order: where deadlocks come from."""
    cards, mark = hand.cards[:6], hand.mark
    for card in hand.chance.sample(cards, min(2, len(cards))):
        Card.objects.filter(pk=card).update(body=mark)
        hand.pause()
    hand.note(Card.objects.filter(body=mark))


def take_back(hand: Hand) -> None:
    """A savepoint that is rolled back, between what stays."""
    kept = len(hand.written)
    try:
        with transaction.atomic():
            for _ in range(2):
                act_once(hand, {act: n for act, n in ACTS.items() if act is not take_back})
            raise Undone
    except Undone:
        del hand.written[kept:]
        hand.counts["savepoints rolled back"] += 1


Act = Callable[[Hand], None]

ACTS: dict[Act, int] = {
    create: 6,
    create_many: 2,
    save: 6,
    save_a_field: 6,
    vote: 8,
    update_some: 2,
    update_each: 2,
    move: 8,
    move_some: 4,
    comment: 10,
    edit: 4,
    put_on: 4,
    label: 4,
    delete: 5,
    delete_some: 2,
    open_board: 1,
    close_board: 1,
    rename_board: 2,
    cross: 6,
    take_back: 4,
}


def act_once(hand: Hand, acts: dict[Act, int]) -> None:
    (act,) = hand.chance.choices(list(acts), list(acts.values()))
    before = len(hand.written)
    act(hand)
    if len(hand.written) > before:
        hand.counts[f"act {act.__name__}"] += 1
