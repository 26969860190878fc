"""Django's ways to copy an object make another object, with an id of its own."""

from __future__ import annotations

import copy
import uuid

import pytest

from example_project.boards.models import Card


@pytest.mark.parametrize("adding", [True, False])
@pytest.mark.parametrize("how", ["loaded", "saved", "copied"])
def test_a_copy_is_another_object(people, how, adding):
    card = people.launch.cards.get()
    card.title = "Original"
    if how == "saved":
        card = Card.objects.create(board=people.launch, title="Original")
    if how == "copied":
        card = copy.copy(card)
    first, id = card.pk, card.sync_id
    Card.objects.filter(pk=first).update(body="A later revision")
    card.pk = None
    card._state.adding = adding
    card.save()
    assert card.pk != first
    assert card.sync_id != id
    assert (card.sync_revision, card.sync_scope) == (1, str(people.launch.sync_id))
    assert Card.objects.filter(sync_id=id).get().pk == first


def test_an_id_that_was_chosen_is_kept(people):
    id = uuid.uuid4()
    card = Card(board=people.launch, title="Chosen", sync_id=id)
    card.save()
    assert Card.objects.get(sync_id=id) == card
