"""Registration: what it takes, what it refuses, and a bare one from end to end."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers, viewsets
from rest_framework.test import APIClient

from django_sync import errors, sync
from django_sync.capture import paths
from django_sync.drf.registry import registry
from example_project.boards import api as boards_api
from example_project.boards.models import Membership
from tests.registry_app.models import Book, Memo, Notice, Poster, Remark, Shelf

pytestmark = pytest.mark.usefixtures("as_it_was")

register: Any = sync.register  # called in ways that its types refuse, too


@pytest.fixture
def users(db):
    return [User.objects.create_user(name) for name in ("ada", "grace")]


def allow(user: User, model: Any, *actions: str) -> None:
    for action in actions:
        wanted = f"{action}_{model._meta.model_name}"
        found = Permission.objects.get(
            codename=wanted, content_type__app_label=model._meta.app_label
        )
        user.user_permissions.add(found)


def api(user: User) -> APIClient:
    """A client with the user as the database has them now, permissions too."""
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def viewset_of(model: Any, *, mixin: bool = True, fields: Any = "__all__", **members: Any) -> Any:
    meta = type("Meta", (), {"model": model, "fields": fields})
    declared = members.pop("declared", {})
    bases: tuple[Any, ...] = (serializers.ModelSerializer,)
    if mixin:
        bases = (sync.SyncSerializerMixin, *bases)
    serializer = type(f"{model.__name__}Serializer", bases, {"Meta": meta, **declared})
    members = {"queryset": model.objects.all(), "serializer_class": serializer} | members
    return type(f"{model.__name__}ViewSet", (sync.SyncViewSetMixin, viewsets.ModelViewSet), members)


# What it takes and what it refuses


def test_a_viewset_under_a_name():
    collection = sync.register("things", viewset_of(Notice))
    assert (collection.name, collection.model, collection.scoped) == ("things", Notice, False)
    assert collection.label == "registry_app.notice"
    assert registry.get("things") is collection
    assert "things" in registry
    assert registry.of_model(Notice) == registry.of_label("registry_app.notice") == [collection]


def test_the_model_may_come_from_the_serializer_alone():
    viewset = viewset_of(Notice, queryset=None)
    assert sync.register("things", viewset).model is Notice


def test_a_bare_registration_is_named_after_its_plural(monkeypatch):
    assert sync.register(Memo, fields=["title"], scope="owner").name == "memos"
    assert sync.register(Notice, fields=["text"], scope=None, name="news").name == "news"
    monkeypatch.setattr(Poster._meta, "verbose_name_plural", "Große Plakate")
    assert sync.register(Poster, fields=["text"], scope=None).name == "groe-plakate"


NO_FIELDS: Any = object()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: register(Memo), "name the published fields"),
        (lambda: register(Memo, fields=["title"]), "scope=None"),
        (lambda: register(Memo, scope=None), "fields=["),
        (lambda: sync.register(Memo, fields=[], scope=None), "list of field names"),
        (lambda: sync.register(Memo, fields="title", scope=None), "list of field names"),
        (lambda: sync.register(Memo, fields="__all__", scope=None), "list of field names"),
        (lambda: sync.register(User, fields=["username"], scope=None), "SyncModel"),
        (lambda: sync.register(Membership, fields=["role"], scope=None), "SyncModel"),
        (lambda: register("memos"), "register('memos', YourViewSet)"),
        (lambda: register(Memo, viewset_of(Memo)), "register(“name”, MemoViewSet)"),
        (lambda: register("memos", viewset_of(Memo), fields=["title"]), "decides all else"),
        (lambda: register("memos", viewset_of(Memo), scope=None), "decides all else"),
        (lambda: sync.register("users", viewset_of(User, mixin=False)), "SyncModel"),
        (lambda: sync.register("x", type("Empty", (), {})), "neither"),
        (lambda: sync.register("x", type("Void", (), {"queryset": None})), "neither"),
        (lambda: sync.register("cards", boards_api.CardViewSet), "registered twice"),
        (lambda: register(None, fields=["x"], scope=None), "SyncModel"),
    ],
)  # fmt: skip
def test_w6_what_is_refused_says_what_to_write(call, says):
    names = registry.names()
    with pytest.raises(ImproperlyConfigured) as refused:
        call()
    assert says in str(refused.value)
    assert registry.names() == names


@pytest.mark.parametrize(
    "name", ["", "a b", "a,b", "a/b", "é", "changes", "mutations", "live", "sessions"]
)
def test_a_name_that_a_path_cannot_hold_is_refused(name):
    with pytest.raises(ImproperlyConfigured, match="cannot be a collection's name"):
        sync.register(name, viewset_of(Notice))


def test_a_plural_without_letters_of_ours_asks_for_a_name(monkeypatch):
    monkeypatch.setattr(Notice._meta, "verbose_name_plural", "通知")
    with pytest.raises(ImproperlyConfigured, match="name="):
        sync.register(Notice, fields=["text"], scope=None)
    assert Notice not in paths._paths
    sync.register(Notice, fields=["text"], scope=None, name="notices")


def test_an_unknown_collection():
    with pytest.raises(errors.UnknownCollection):
        registry.get("nope")


def test_parents_come_before_their_children_in_whatever_order_they_are_registered():
    sync.register("books", viewset_of(Book))
    sync.register("shelves", viewset_of(Shelf))
    sync.register("notices", viewset_of(Notice))
    order = [collection.name for collection in registry]
    assert order.index("books") > max(order.index("shelves"), order.index("notices"))
    assert order.index("comments") > order.index("cards") > order.index("boards")


# Bare, from end to end


def sent(user: User, op: str, collection: str, id: Any, base: Any = None, /, **fields: Any) -> Any:
    from django_sync.feed import log as feed_log

    mutation = {
        "id": str(uuid.uuid4()),
        "seq": 1,
        "op": op,
        "collection": collection,
        "object_id": str(id),
        "base_revision": base,
        "fields": fields,
        "epoch": feed_log.state()[0].epoch,
    }
    body = {"client_id": str(uuid.uuid4()), "mutations": [mutation]}
    (result,) = api(user).post("/sync/mutations/", body, format="json").json()["results"]
    return result


def pulled(user: User, name: str) -> list[Any]:
    found: list[Any] = api(user).get(f"/sync/changes/?collections={name}").json()["changes"]
    return found


def test_w6_a_bare_registration_asks_for_view_and_publishes_only_what_it_names(users):
    ada, grace = users
    sync.register(Memo, fields=["title"], scope="owner")
    memo = Memo.objects.create(owner=ada, title="Mine", password="hush")
    Memo.objects.create(owner=grace, title="Hers", password="hush")

    assert "memos" not in api(ada).get("/sync/").json()["collections"]
    assert api(ada).get("/sync/memos/").status_code == 403
    assert api(ada).get(f"/sync/memos/{memo.sync_id}/").status_code == 404
    assert pulled(ada, "memos") == []
    assert sent(ada, "update", "memos", memo.sync_id, 1, title="x")["status"] == "rejected"

    allow(ada, Memo, "view")
    (change,) = pulled(ada, "memos")
    assert change["object"] == {"title": "Mine"}
    assert (change["scope"], change["id"]) == (str(ada.pk), str(memo.sync_id))
    (record,) = api(ada).get("/sync/memos/").json()["results"]
    assert record["object"] == {"title": "Mine"}
    assert api(ada).get("/sync/").json()["collections"]["memos"]["operations"] == ["read"]
    assert sent(ada, "update", "memos", memo.sync_id, 1, password="x")["status"] == "rejected"


def test_w3_each_write_asks_for_its_own_permission(users):
    ada, _ = users
    sync.register(Memo, fields=["title", "owner"], scope="owner")
    memo = Memo.objects.create(owner=ada, title="Mine")
    id = uuid.uuid4()

    def attempts() -> list[str]:
        return [
            r.get("problem", {}).get("code", r["status"])
            for r in (
                sent(ada, "create", "memos", id, title="New", owner=ada.pk),
                sent(ada, "update", "memos", memo.sync_id, 1, title="Other"),
                sent(ada, "delete", "memos", memo.sync_id, 2),
            )
        ]

    allow(ada, Memo, "view")
    assert attempts() == ["permission_denied"] * 3
    allow(ada, Memo, "add")
    assert attempts() == ["applied", "permission_denied", "permission_denied"]
    allow(ada, Memo, "change")
    assert attempts() == ["applied", "applied", "permission_denied"]
    allow(ada, Memo, "delete")
    assert attempts()[2] == "applied"
    assert Memo.objects.get().sync_id == id


def test_w3_nobody_writes_into_anothers_scope(users):
    ada, grace = users
    sync.register(Memo, fields=["title", "owner"], scope="owner")
    allow(ada, Memo, "view", "add", "change", "delete")
    mine = Memo.objects.create(owner=ada, title="Mine")
    hers = Memo.objects.create(owner=grace, title="Hers")
    for result in (
        sent(ada, "create", "memos", uuid.uuid4(), title="x", owner=grace.pk),
        sent(ada, "update", "memos", mine.sync_id, 1, owner=grace.pk),
    ):
        assert result["problem"]["code"] == "validation_failed"
        assert list(result["problem"]["errors"]) == ["owner"]
    for op in ("update", "delete"):
        result = sent(ada, op, "memos", hers.sync_id, 1, title="x")
        assert result["problem"]["code"] == "not_found"
    assert [(m.owner, m.title, m.sync_revision) for m in Memo.objects.order_by("pk")] == [
        (ada, "Mine", 1),
        (grace, "Hers", 1),
    ]


def test_a_scope_two_hops_away_is_the_user_still(users):
    ada, grace = users
    sync.register(Memo, fields=["title"], scope="owner")
    sync.register(Remark, fields=["memo", "text"], scope="memo__owner")
    allow(ada, Remark, "view")
    allow(ada, Memo, "view")
    memo = Memo.objects.create(owner=ada, title="Mine")
    Remark.objects.create(memo=memo, text="Seen")
    Remark.objects.create(memo=Memo.objects.create(owner=grace, title="Hers"), text="Hidden")
    (change,) = pulled(ada, "remarks")
    assert change["object"] == {"memo": str(memo.sync_id), "text": "Seen"}


def test_an_unscoped_collection_is_everybodys(users):
    sync.register(Notice, fields=["text"], scope=None)
    Notice.objects.create(text="All")
    for user in users:
        allow(user, Notice, "view")
        (change,) = pulled(user, "notices")
        assert (change["scope"], change["object"]) == ("", {"text": "All"})
    assert api(users[0]).get("/sync/").json()["collections"]["notices"]["scoped"] is False


def test_scopes_may_be_said(users):
    ada, grace = users
    hers = Memo.objects.create(owner=grace, title="Hers")
    sync.register(Memo, fields=["title"], scope="owner", scopes=lambda user: [grace.pk, None])
    allow(ada, Memo, "view")
    assert [change["id"] for change in pulled(ada, "memos")] == [str(hers.sync_id)]


def test_the_scopes_of_the_collection_that_is_pointed_to(users):
    ada, _ = users
    seen, hidden = Shelf.objects.create(name="Seen"), Shelf.objects.create(name="Hidden")
    sync.register(
        Shelf, fields=["name"], scope="self", scopes=lambda user: [seen.pk], name="shelves"
    )
    sync.register(Book, fields=["shelf", "title"], scope="shelf")
    allow(ada, Book, "view", "add")
    for shelf in (seen, hidden):
        Book.objects.create(shelf=shelf, title=shelf.name)
    assert pulled(ada, "books") == [], "who may not read shelves sees none"
    allow(ada, Shelf, "view")
    (change,) = pulled(ada, "books")
    assert change["object"] == {"shelf": str(seen.pk), "title": "Seen"}
    told = sent(ada, "create", "books", uuid.uuid4(), title="x", shelf=str(hidden.pk))
    assert told["problem"]["errors"]["shelf"][0]["code"] == "does_not_exist"
    told = sent(ada, "create", "books", uuid.uuid4(), title="x", shelf=str(seen.pk))
    assert told["status"] == "applied"


# Serializers


def keys_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_in(inner)}
    return {key for inner in value for key in keys_in(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("model", "made", "fields"),
    [
        (Notice, lambda u: {"text": "x"}, {"text"}),
        (Poster, lambda u: {"text": "x", "size": 3}, {"text", "size"}),
        (Shelf, lambda u: {"name": "x"}, {"name"}),
        (Memo, lambda u: {"title": "x", "owner": u}, {"title", "owner", "password"}),
    ],
)
def test_w7_all_fields_are_all_but_keys_and_ours(users, model, made, fields):
    ada, _ = users
    row = model.objects.create(**made(ada))
    row.refresh_from_db()
    scopes = {"get_scopes": lambda self: [row.sync_scope]}
    sync.register("things", viewset_of(model, **scopes, permission_classes=[]))
    (change,) = pulled(ada, "things")
    assert set(change["object"]) == fields
    record = api(ada).get(f"/sync/things/{row.sync_id}/").json()
    assert record["object"] == change["object"]
    assert change["id"] == str(row.sync_id)


def test_a_uuid_primary_key_is_the_id(users):
    ada, _ = users
    sync.register(
        "shelves",
        viewset_of(Shelf, get_scopes=lambda self: Shelf.objects.values_list("pk", flat=True)),
    )
    id = uuid.uuid4()
    result = sent(ada, "create", "shelves", id, name="Mine")
    assert (result["status"], result["record"]["id"]) == ("applied", str(id))
    assert result["record"]["scope"] == str(id)
    assert Shelf.objects.get().pk == id
    result = sent(ada, "update", "shelves", id, 1, name="Other")
    assert result["revision"] == 2
    assert sent(ada, "delete", "shelves", id, 2)["record"]["deleted"] is True
    for name in ("id", "pk", "sync_id"):
        told = sent(ada, "create", "shelves", uuid.uuid4(), **{"name": "x", name: str(id)})
        assert told["problem"]["errors"][name][0]["code"] == "unknown"


def test_a_child_in_a_table_of_its_own_is_one_object(users):
    ada, _ = users
    sync.register("posters", viewset_of(Poster))
    id = uuid.uuid4()
    result = sent(ada, "create", "posters", id, text="x", size=3)
    assert (result["status"], result["record"]["object"]) == ("applied", {"text": "x", "size": 3})
    revision = result["revision"]
    for fields in ({"text": "y"}, {"size": 4}):
        result = sent(ada, "update", "posters", id, revision, **fields)
        assert result["status"] == "applied"
        assert result["revision"] > revision
        revision = result["revision"]
    assert Poster.objects.get(sync_id=id).size == 4


def test_w7_references_are_ids_alone(users):
    ada, _ = users
    shelf, notice = Shelf.objects.create(name="x"), Notice.objects.create(text="n")
    sync.register("shelves", viewset_of(Shelf, get_scopes=lambda self: [shelf.pk]))
    sync.register("notices", viewset_of(Notice))
    sync.register("books", viewset_of(Book, get_scopes=lambda self: [shelf.pk]))
    fields = {"title": "x", "shelf": str(shelf.pk), "notice": str(notice.sync_id)}
    fields["notices"] = [str(notice.sync_id)]
    result = sent(ada, "create", "books", uuid.uuid4(), **fields)
    assert result["record"]["object"] == fields
    (change,) = pulled(ada, "books")
    assert change["object"] == fields
    assert not {"id", "pk", "notice_id"} & keys_in(change["object"])
    for wrong in (notice.pk, str(notice.pk), f"/notices/{notice.pk}/", True, None, {}):
        told = sent(ada, "create", "books", uuid.uuid4(), **(fields | {"notices": [wrong]}))
        assert told["problem"]["code"] == "validation_failed"
        assert list(told["problem"]["errors"]) == ["notices"]
    told = sent(ada, "create", "books", uuid.uuid4(), **(fields | {"notice": None}))
    assert told["record"]["object"]["notice"] is None


def test_a_dotted_source_shows_and_is_not_written(users):
    ada, _ = users
    notice = Notice.objects.create(text="Seen")
    shelf = Shelf.objects.create(name="x")
    declared = {"told": serializers.CharField(source="notice.text", read_only=True)}
    fields = ["title", "told"]
    viewset = viewset_of(Book, fields=fields, declared=declared, get_scopes=lambda self: [shelf.pk])
    sync.register("books", viewset)
    book = Book.objects.create(shelf=shelf, notice=notice, title="x")
    (change,) = pulled(ada, "books")
    assert change["object"] == {"title": "x", "told": "Seen"}
    result = sent(ada, "update", "books", book.sync_id, change["revision"], told="Mine")
    assert result["problem"]["code"] == "field_not_writable"
    notice.refresh_from_db()
    assert notice.text == "Seen"


def test_a_viewset_without_writes_offers_none(users):
    ada, _ = users
    Notice.objects.create(text="x")
    full = viewset_of(Notice)
    members = {"queryset": full.queryset, "serializer_class": full.serializer_class}
    bases = (sync.SyncViewSetMixin, viewsets.ReadOnlyModelViewSet)
    sync.register("notices", type("ReadOnly", bases, members))
    sync.register("narrow", type("Narrow", (full,), {"http_method_names": ["get", "post"]}))
    told = api(ada).get("/sync/").json()["collections"]
    assert told["notices"]["operations"] == ["read"]
    assert told["narrow"]["operations"] == ["read", "create"]
    row = Notice.objects.get()
    assert sent(ada, "create", "notices", uuid.uuid4(), text="y")["problem"]["status"] == 403
    for name in ("notices", "narrow"):
        assert sent(ada, "update", name, row.sync_id, 1, text="y")["problem"]["status"] == 403
        assert sent(ada, "delete", name, row.sync_id, 1)["problem"]["status"] == 403
        path = f"/sync/{name}/{row.sync_id}/"
        assert api(ada).delete(path, HTTP_IF_MATCH="*").status_code == 403
        assert api(ada).patch(path, {"object": {}}, format="json").status_code == 403


def test_one_model_in_two_collections_with_other_fields(users):
    ada, grace = users
    row = Notice.objects.create(text="x")
    sync.register("notices", viewset_of(Notice))
    sync.register("news", viewset_of(Notice, fields=["text"]))
    names = {change["collection"] for change in pulled(ada, "notices,news")}
    assert names == {"notices", "news"}
    result = sent(ada, "update", "news", row.sync_id, 1, text="y")
    assert result["record"]["collection"] == "news"
    assert json.dumps(pulled(grace, "notices")).count('"y"') == 1
