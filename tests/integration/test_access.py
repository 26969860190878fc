"""Each example of docs/howto/server/access.md works: who sees, who does not, who writes what.

The code is that of ``tests/access_app``, which ``tests/docs/test_access.py`` holds the page to.
"""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from django_sync.checks import check_collections
from django_sync.protocol import Op
from tests.access_app import registered
from tests.access_app.models import (
    Board,
    Card,
    Comment,
    Country,
    Customer,
    Document,
    Employee,
    Invoice,
    Membership,
    Note,
    Notice,
    Paragraph,
    Share,
    SharedCard,
    Tenant,
)
from tests.integration.test_registry import allow, api, sent
from tests.replica import Replica


@pytest.fixture
def who(db: None, as_it_was: None) -> SimpleNamespace:
    registered.register_all()
    return SimpleNamespace(
        **{name: User.objects.create_user(name) for name in ("ada", "grace", "alan")}
    )


def replica(user: User, *collections: str) -> Replica:
    made = Replica(user, collections)
    made.pull()
    return made


def held(made: Replica) -> set[Any]:
    """The ids that are held, after a pull."""
    made.pull()
    return {id for _, id in made.records}


def refused(told: dict[str, Any]) -> str:
    """The code of a refusal; the first field's where the fields are to blame."""
    assert told["status"] == "rejected", told
    problem = told["problem"]
    return str(next((e[0]["code"] for e in problem.get("errors", {}).values()), problem["code"]))


def test_the_checks_find_nothing_amiss(who):
    assert [m for m in check_collections(None) if "access_app" in repr(m.obj)] == []


def alike(user: User, collection: str, hidden: Any, /, **fields: Any) -> None:
    """A guessed id of a hidden object is answered as one of nothing, by all ways."""
    nothing = uuid.uuid4()
    for path in ("{}/", "{}/history/"):
        answers = [
            api(user).get(f"/sync/{collection}/" + path.format(id)) for id in (hidden, nothing)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json() == answers[1].json()
    told = [sent(user, "update", collection, id, 1, **fields) for id in (hidden, nothing)]
    assert [refused(one) for one in told] == ["not_found"] * 2


# Ownership


def test_ownership(who):
    hers = Note.objects.create(owner=who.grace, text="Hers")
    mine = Note.objects.create(owner=who.ada, text="Mine")
    ada = replica(who.ada, "my-notes")
    assert held(ada) == {mine.sync_id}
    alike(who.ada, "my-notes", hers.sync_id, text="x")
    id = uuid.uuid4()
    assert sent(who.ada, "create", "my-notes", id, text="New")["status"] == "applied"
    assert Note.objects.get(sync_id=id).owner == who.ada
    assert refused(sent(who.ada, "create", "my-notes", uuid.uuid4(), owner=who.grace.pk)) == (
        "unknown"
    )
    # Given away, by whom it is not for sync to say: it goes from one and comes to the other.
    grace = replica(who.grace, "my-notes")
    Note.objects.filter(pk=mine.pk).update(owner=who.grace)
    assert held(ada) == {id}
    assert held(grace) == {mine.sync_id, hers.sync_id}


# Membership


@pytest.fixture
def boards(who):
    made = []
    for name, members in (
        ("One", {"ada": "editor", "grace": "viewer"}),
        ("Two", {"ada": "editor"}),
    ):
        board = Board.objects.create(name=name)
        for user, role in members.items():
            Membership.objects.create(board=board, user=getattr(who, user), role=role)
        card = Card.objects.create(board=board, title=f"A card of {name}")
        Comment.objects.create(card=card, text=f"A comment of {name}")
        made.append(board)
    return made


BOARDS = ("my-boards", "my-cards", "my-comments")


def test_membership_and_what_it_opens_and_closes(who, boards):
    one, two = boards
    alan = replica(who.alan, *BOARDS)
    assert held(alan) == set()
    membership = Membership.objects.create(board=one, user=who.alan, role="viewer")
    assert len(held(alan)) == 3
    assert {record.scope for record in alan.records.values()} == {str(one.sync_id)}
    alike(who.alan, "my-cards", Card.objects.get(board=two).sync_id, title="x")
    membership.delete()
    assert sorted(c.op for c in alan.pull()) == [Op.DROP] * 3
    assert held(alan) == set()


def test_viewers_read_and_editors_write(who, boards):
    one, two = boards
    card = Card.objects.get(board=one)
    viewer, editor = who.grace, who.ada
    assert refused(sent(viewer, "update", "my-cards", card.sync_id, 1, title="x")) == (
        "permission_denied"
    )
    new = {"board": str(one.sync_id), "title": "New"}
    told = sent(viewer, "create", "my-cards", uuid.uuid4(), **new)
    assert refused(told) == "permission_denied"
    assert sent(editor, "create", "my-cards", uuid.uuid4(), **new)["status"] == "applied"
    # To a board that one may not write on, or does not know of
    Membership.objects.create(board=two, user=viewer, role="editor")
    Membership.objects.filter(board=two, user=editor).update(role="viewer")
    told = sent(editor, "update", "my-cards", card.sync_id, 1, board=str(two.sync_id))
    assert refused(told) == "permission_denied"
    Membership.objects.filter(board=two, user=editor).delete()
    told = sent(editor, "update", "my-cards", card.sync_id, 1, board=str(two.sync_id))
    assert refused(told) == "does_not_exist"


def test_who_creates_a_board_is_on_it(who):
    id = uuid.uuid4()
    assert sent(who.alan, "create", "my-boards", id, name="New")["status"] == "applied"
    assert held(replica(who.alan, *BOARDS)) == {id}
    assert held(replica(who.grace, *BOARDS)) == set()


def test_a_card_moves_with_its_comments(who, boards):
    one, two = boards
    grace = replica(who.grace, *BOARDS)
    assert len(grace.records) == 3
    Card.objects.filter(board=one).update(board=two)
    assert held(grace) == {one.sync_id}
    assert len(held(replica(who.ada, *BOARDS))) == 6


# Groups


@pytest.fixture
def groups(who):
    """Crew, whose members may write, and Guests, whose members may read."""
    crew, guests = Group.objects.create(name="Crew"), Group.objects.create(name="Guests")
    verbs = {crew: ("view", "add", "change", "delete"), guests: ("view",)}
    for group, allowed in verbs.items():
        names = [f"{verb}_notice" for verb in allowed]
        group.permissions.set(Permission.objects.filter(codename__in=names))
        Notice.objects.create(group=group, text=f"For {group.name}")
    who.ada.groups.add(crew, guests)
    who.grace.groups.add(guests)
    return SimpleNamespace(crew=crew, guests=guests)


def fresh(user: User) -> User:
    """As the next request has them: Django keeps permissions on the instance."""
    return User.objects.get(pk=user.pk)


def test_groups(who, groups):
    of_crew, of_guests = Notice.objects.order_by("pk")
    assert held(replica(fresh(who.ada), "notices")) == {of_crew.sync_id, of_guests.sync_id}
    grace = replica(fresh(who.grace), "notices")
    assert held(grace) == {of_guests.sync_id}
    assert api(who.alan).get("/sync/notices/").status_code == 403, "in no group: may not view"

    who.grace.groups.add(groups.crew)
    grace.user = fresh(who.grace)
    assert held(grace) == {of_crew.sync_id, of_guests.sync_id}
    who.grace.groups.remove(groups.crew)
    grace.user = fresh(who.grace)
    assert [c.op for c in grace.pull()] == [Op.DROP]
    assert held(grace) == {of_guests.sync_id}


def test_what_one_group_allows_reaches_into_no_other(who, groups):
    of_crew, of_guests = Notice.objects.order_by("pk")
    assert sent(who.ada, "update", "notices", of_crew.sync_id, 1, text="x")["status"] == "applied"
    told = sent(who.ada, "update", "notices", of_guests.sync_id, 1, text="x")
    assert refused(told) == "permission_denied"
    told = sent(who.ada, "create", "notices", uuid.uuid4(), group=groups.guests.pk, text="x")
    assert refused(told) == "permission_denied"
    assert refused(sent(who.grace, "update", "notices", of_guests.sync_id, 1, text="x")) == (
        "permission_denied"
    )
    who.ada.groups.remove(groups.guests)
    for hidden in (groups.guests.pk, 10**6):
        told = sent(who.ada, "create", "notices", uuid.uuid4(), group=hidden, text="x")
        assert refused(told) == "does_not_exist", "another's group and none are answered alike"


# Single objects


@pytest.fixture
def document(who):
    document = Document.objects.create(owner=who.ada, title="Shared")
    Paragraph.objects.create(document=document, text="Once upon a time")
    other = Document.objects.create(owner=who.ada, title="Kept")
    Paragraph.objects.create(document=other, text="Secret")
    return document


DOCUMENTS = ("documents", "paragraphs")


def test_a_share_opens_one_document_and_closes_it(who, document):
    grace = replica(who.grace, *DOCUMENTS)
    assert held(grace) == set()
    alike(who.grace, "documents", document.sync_id, title="x")
    share = Share.objects.create(document=document, user=who.grace)
    assert held(grace) == {document.sync_id, document.paragraph_set.get().sync_id}
    kept = Document.objects.get(title="Kept")
    alike(who.grace, "documents", kept.sync_id, title="x")
    alike(who.grace, "paragraphs", kept.paragraph_set.get().sync_id, text="x")
    Document.objects.filter(pk=document.pk).update(title="Told")
    grace.pull()
    assert grace.records["documents", document.sync_id].object == {"title": "Told"}
    share.delete()
    assert [c.op for c in grace.pull()] == [Op.DROP, Op.DROP]
    assert held(grace) == set()
    assert held(replica(who.alan, *DOCUMENTS)) == set()
    assert len(held(replica(who.ada, *DOCUMENTS))) == 4


def test_who_may_write_what_was_shared(who, document):
    share = Share.objects.create(document=document, user=who.grace)
    below = {"document": str(document.sync_id), "text": "And then"}
    for _ in range(2):
        told = [
            sent(who.grace, "update", "documents", document.sync_id, 1, title="Mine"),
            sent(who.grace, "create", "paragraphs", uuid.uuid4(), **below),
        ]
        if not share.may_write:
            assert [refused(one) for one in told] == ["permission_denied"] * 2
            share.may_write = True
            share.save()
    assert [one["status"] for one in told] == ["applied"] * 2
    kept = str(Document.objects.get(title="Kept").sync_id)
    told = sent(who.grace, "create", "paragraphs", uuid.uuid4(), document=kept, text="x")
    assert refused(told) == "does_not_exist"
    gone = sent(who.grace, "delete", "documents", document.sync_id, 2)
    assert refused(gone) == "permission_denied", "to write is not to delete"
    assert sent(who.ada, "delete", "documents", document.sync_id, 2)["status"] == "applied"


def test_who_creates_a_document_owns_it(who):
    id = uuid.uuid4()
    assert sent(who.alan, "create", "documents", id, title="New")["status"] == "applied"
    assert held(replica(who.alan, *DOCUMENTS)) == {id}
    assert held(replica(who.ada, *DOCUMENTS)) == set()


def test_one_card_out_of_a_board(who, boards):
    card = Card.objects.get(board=boards[0])
    alan = replica(who.alan, "shared-cards", *BOARDS)
    share = SharedCard.objects.create(card=card, user=who.alan)
    assert held(alan) == {share.sync_id}, "the card, and nothing else of its board"
    Card.objects.filter(pk=card.pk).update(title="Another")
    alan.pull()
    (record,) = alan.records.values()
    assert record.object == {"title": "Another"}
    assert str(card.sync_id) not in repr(record)
    alike(who.alan, "my-cards", card.sync_id, title="x")
    assert refused(sent(who.alan, "delete", "shared-cards", share.sync_id, 1)) == (
        "permission_denied"
    )
    share.delete()
    assert [c.op for c in alan.pull()] == [Op.DELETE]
    share = SharedCard.objects.create(card=card, user=who.alan)
    assert held(alan) == {share.sync_id}
    card.delete()
    assert held(alan) == set()
    assert held(replica(who.grace, "shared-cards")) == set()


# Tenants


def test_tenants(who):
    north, south = Tenant.objects.create(name="North"), Tenant.objects.create(name="South")
    for user, tenant in ((who.ada, north), (who.grace, south)):
        Employee.objects.create(user=user, tenant=tenant)
    for tenant in (north, south):
        customer = Customer.objects.create(tenant=tenant, name=f"Of {tenant.name}")
        Invoice.objects.create(tenant=tenant, customer=customer, total=1)
    names = ("customers", "invoices")
    ada = replica(who.ada, *names)
    ours = {
        row.sync_id for model in (Customer, Invoice) for row in model.objects.filter(tenant=north)
    }
    assert held(ada) == ours
    assert held(replica(who.alan, *names)) == set(), "employed by nobody"
    theirs = Customer.objects.get(tenant=south)
    alike(who.ada, "customers", theirs.sync_id, name="x")
    new = {"customer": str(theirs.sync_id), "total": "2.00"}
    assert refused(sent(who.ada, "create", "invoices", uuid.uuid4(), **new)) == "does_not_exist"
    id = uuid.uuid4()
    new["customer"] = str(Customer.objects.get(tenant=north).sync_id)
    assert sent(who.ada, "create", "invoices", id, **new)["status"] == "applied"
    assert Invoice.objects.get(sync_id=id).tenant == north
    assert held(ada) == ours | {id}

    new = {"name": "A tenant's of nobody"}
    assert refused(sent(who.alan, "create", "customers", uuid.uuid4(), **new)) == "not_found"

    Employee.objects.filter(user=who.ada).update(tenant=south)
    assert len(held(ada)) == 2
    assert held(ada).isdisjoint(ours)
    Employee.objects.filter(user=who.ada).delete()
    assert held(ada) == set()


# No scopes


def test_no_scopes(who):
    country = Country.objects.create(name="Norway", code="NO")
    assert held(replica(who.ada, "countries")) == set()
    allow(who.ada, Country, "view")
    ada = replica(fresh(who.ada), "countries")
    assert held(ada) == {country.sync_id}
    assert refused(sent(who.ada, "update", "countries", country.sync_id, 1, name="x")) == (
        "permission_denied"
    )
