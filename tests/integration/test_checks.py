"""Each system check, triggered and not triggered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework import permissions, serializers, viewsets
from rest_framework.authentication import BasicAuthentication
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from django_sync import checks
from django_sync.capture import paths
from django_sync.capture.specs import spec_problems
from django_sync.checks.viewsets import check_collection
from django_sync.drf.collection import Collection
from django_sync.drf.registry import registry
from django_sync.drf.serializers import SyncRelatedField
from django_sync.merge import LastWrite, Manual
from django_sync.sync import SyncModelPermissions, SyncSerializerMixin, SyncViewSetMixin
from example_project.boards import models as boards
from tests.registry_app.models import Book, Memo, Notice, Pin, Poster, Remark, Shelf


def ids(messages: Any) -> list[str]:
    found = list(messages)
    for message in found:
        assert message.msg
        assert message.hint or message.id == "django_sync.E007"
    return [message.id.removeprefix("django_sync.") for message in found]


def serializer_of(model: Any, fields: Any = "__all__", mixin: bool = True, **declared: Any) -> Any:
    meta = type("Meta", (), {"model": model, "fields": fields})
    bases: Any = (serializers.ModelSerializer,)
    if mixin:
        bases = (SyncSerializerMixin, *bases)
    return type(f"{model.__name__}Serializer", bases, {"Meta": meta, **declared})


def collection_of(model: Any, serializer: Any = None, **members: Any) -> Collection:
    members = {
        "queryset": model.objects.all(),
        "serializer_class": serializer or serializer_of(model),
        "permission_classes": [SyncModelPermissions],
        "get_scopes": lambda self: (),
    } | members
    bases = (SyncViewSetMixin, viewsets.ModelViewSet)
    viewset = type(f"{model.__name__}ViewSet", bases, members)
    return Collection("things", viewset, model)


def told(collection: Collection) -> list[str]:
    return ids(check_collection(collection))


@pytest.fixture
def shown() -> Iterator[None]:
    """Collections show what books refer to."""
    for name, model in (("shelves", Shelf), ("notices", Notice)):
        registry.add(Collection(name, viewsets.ModelViewSet, model))
    yield
    for name in ("shelves", "notices"):
        registry.remove(name)


def test_the_example_is_without_fault():
    call_command("check", fail_level="WARNING")


@pytest.mark.parametrize("model", [Notice, Poster, Shelf, Memo, Book])
@pytest.mark.usefixtures("shown")
def test_a_fit_collection_is_without_fault(model):
    assert told(collection_of(model)) == []


# Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"PAGE_SIZE": 5, "RETRIES": 0, "DATABASE": "default"}, []),
        ({"PAGESIZE": 5}, ["W001"]),
        ({"PAGE_SIZE": "5"}, ["E001"]),
        ({"PAGE_SIZE": True}, ["E001"]),
        ({"PAGE_SIZE": 0}, ["E001"]),
        ({"BATCH_SIZE": -1, "BODY_BYTES": 1.5}, ["E001", "E001"]),
        ({"SEQUENCE_WAIT_MS": 0}, ["E001"]),
        ({"DATABASE": "other"}, ["E002"]),
        ({"DATABASE": ["default"]}, ["E001"]),
        ({"RESOLVER": "django_sync.merge.LastWrite"}, []),
        ({"RESOLVER": "django_sync.merge.Nobody"}, ["E011"]),
        ({"RESOLVER": "django_sync.merge.FieldOverlap"}, ["E011"]),
        ({"RESOLVER": "django_sync.conf.conf"}, ["E011"]),
        ({"TRANSPORTS": ["long-poll", "poll"]}, []),
        ({"TRANSPORTS": ["websocket", "sse"]}, []),
        ({"TRANSPORTS": ["pigeon"]}, ["E012"]),
        ({"TRANSPORTS": ["push"]}, ["E012"]),
        ({"TICKET_SECONDS": 0}, ["E001"]),
        ({"IDLE_SECONDS": {"sse": 60}, "EXPIRE_HOURS": {}}, []),
        ({"IDLE_SECONDS": {"pigeon": 60}, "EXPIRE_HOURS": {"sse": "1"}}, ["E001", "E001"]),
        ({"IDLE_SECONDS": 60}, ["E001"]),
        ({"PUSH_SENDERS": {"webhook": "a.path"}}, []),
        ({"PUSH_SENDERS": {"webhook": 7}}, ["E001"]),
        (None, ["E009"]),
        ([], ["E009"]),
    ],
)
def test_e001_e002_w001_settings(settings, given, expected):
    settings.DJANGO_SYNC = given
    assert ids(checks.check_settings()) == expected


def test_e013_sockets_without_channels(settings, monkeypatch):
    settings.DJANGO_SYNC = {"TRANSPORTS": ["websocket", "poll"]}
    monkeypatch.setattr("django_sync.checks.settings.find_spec", lambda name: None)
    assert ids(checks.check_settings()) == ["E013"]


def test_a_settings_message_says_what_to_write(settings):
    settings.DJANGO_SYNC = {"PAGE_SIZE": "many"}
    (message,) = checks.check_settings()
    assert "PAGE_SIZE" in message.msg
    assert "'many'" in message.msg
    assert "int" in message.hint
    assert "1000" in message.hint


# Models


@pytest.mark.parametrize(
    ("path", "wrong"),
    [("owner", False), (None, False), ("self", False), ("nope", True), ("owner__nope", True)],
)
def test_e003_scope_paths(monkeypatch, path, wrong):
    monkeypatch.setitem(paths._paths, Memo, path)
    assert bool(spec_problems(Memo)) is wrong
    assert ids(checks.check_models()) == ["E003"] * len(spec_problems(Memo))


def test_e003_what_is_ignored_is_a_field(monkeypatch):
    monkeypatch.setattr(Memo, "sync_ignore", ("nope",))
    (message,) = checks.check_models()
    assert message.id == "django_sync.E003"
    assert "nope" in message.msg


# Viewsets


def test_e004_what_is_no_viewset():
    plain = type("Plain", (), {"queryset": Notice.objects.all()})
    assert told(Collection("things", plain, Notice)) == ["E004"]


def test_e005_a_scope_that_nobody_is_said_to_see():
    assert told(collection_of(Memo, get_scopes=SyncViewSetMixin.get_scopes)) == ["E005"]
    bare = type(
        "Bare",
        (viewsets.ModelViewSet,),
        {
            "queryset": Memo.objects.all(),
            "serializer_class": serializer_of(Memo),
            "permission_classes": [SyncModelPermissions],
        },
    )
    assert told(Collection("memos", bare, Memo)) == ["E005"]
    assert told(collection_of(Notice, get_scopes=SyncViewSetMixin.get_scopes)) == []


def test_w8_w002_a_query_of_ones_own_without_a_scope():
    own = {"get_queryset": lambda self: Notice.objects.none()}
    assert told(collection_of(Notice, **own)) == ["W002"]
    scoped = {"get_queryset": lambda self: Memo.objects.none()}
    assert told(collection_of(Memo, **scoped)) == []


class Meek(permissions.DjangoModelPermissions):
    """Asks nothing of who reads, as DRF has it."""


class Strict(permissions.DjangoModelPermissions):
    """Asks for view."""

    perms_map = permissions.DjangoModelPermissions.perms_map | {"GET": ["%(app_label)s.view_x"]}


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([permissions.IsAuthenticated], []),
        ([SyncModelPermissions], []),
        ([Strict], []),
        ([permissions.IsAuthenticated | permissions.IsAdminUser], []),
        ([permissions.AllowAny], ["W003"]),
        ([permissions.DjangoModelPermissions], ["W003"]),
        ([Meek], ["W003"]),
        ([], ["W003"]),
    ],
)
def test_w6_w003_permissions_that_ask_nothing_of_who_reads(classes, expected):
    assert told(collection_of(Notice, permission_classes=classes)) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, []),
        ({"throttle_classes": [UserRateThrottle]}, ["W011"]),
        ({"throttle_classes": []}, []),
        ({"authentication_classes": [BasicAuthentication]}, ["W011"]),
        ({"authentication_classes": APIView.authentication_classes}, []),
    ],
)
def test_w011_what_the_sync_endpoints_do_not_ask_a_viewset(members, expected):
    assert told(collection_of(Notice, **members)) == expected


# Serializers


def test_w7_e006_a_serializer_without_the_mixin():
    assert told(collection_of(Notice, serializer_of(Notice, mixin=False))) == ["E006"]


@pytest.mark.parametrize("fields", [["nope"], ["text", "nope"], None])
def test_e007_a_serializer_that_cannot_be_made(fields):
    (message,) = check_collection(collection_of(Notice, serializer_of(Notice, fields)))
    assert message.id == "django_sync.E007"
    assert message.msg


BY_KEY = serializers.PrimaryKeyRelatedField
NUMBER, ANY = serializers.IntegerField, serializers.ReadOnlyField


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"notice": BY_KEY(queryset=Notice.objects.all())}, ["E008"]),
        ({"notice": BY_KEY(read_only=True)}, ["E008"]),
        ({"other": BY_KEY(source="notice", read_only=True)}, ["E008"]),
        ({"notices": BY_KEY(queryset=Notice.objects.all(), many=True)}, ["E008"]),
        ({"notices": BY_KEY(read_only=True, many=True)}, ["E008"]),
        ({"notice_id": NUMBER()}, ["E008"]),
        ({"notice_id": ANY()}, ["E008"]),
        ({"other": NUMBER(source="notice_id", read_only=True)}, ["E008"]),
        ({"other": ANY(source="notice.pk")}, ["E008", "W004"]),
        ({"other": ANY(source="notice.id")}, ["E008", "W004"]),
        ({"other": ANY(source="notice.text")}, ["W004"]),
        # the primary key of a shelf is its id: it may be shown, but not looked up among all
        ({"shelf": BY_KEY(queryset=Shelf.objects.all())}, ["E008"]),
        ({"shelf": BY_KEY(read_only=True)}, []),
        ({"shelf_id": ANY()}, []),
        ({"number": NUMBER(source="id", read_only=True)}, []),  # left out by the mixin
        ({"whole": serializers.CharField(source="*", read_only=True)}, []),
        ({"whole": serializers.SerializerMethodField()}, ["W004"]),
    ],
    ids="-".join,
)
def test_w7_e008_w004_references(declared, expected):
    fields = ["title", *declared]
    serializer = serializer_of(Book, fields, **declared)
    assert told(collection_of(Book, serializer)) == expected


def test_e008_says_which_field_of_which_model():
    serializer = serializer_of(Book, ["notice"], notice=BY_KEY(read_only=True))
    (message,) = check_collection(collection_of(Book, serializer))
    assert message.msg == "BookSerializer.notice names an object of Notice by its primary key."


def test_w004_what_is_touched_is_declared(monkeypatch):
    declared = {"other": ANY(source="notice.text")}
    monkeypatch.setattr(Book, "sync_touches", ("notice__text",))
    assert told(collection_of(Book, serializer_of(Book, ["other"], **declared))) == []
    owner = serializers.SlugRelatedField(slug_field="username", read_only=True)
    assert boards.Board.sync_touches == ("owner__username",)
    board = serializer_of(boards.Board, ["owner"], owner=owner)
    assert told(collection_of(boards.Board, board)) == []


SLUG, TEXT = serializers.SlugRelatedField, serializers.StringRelatedField


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"notice": SLUG(slug_field="text", read_only=True)}, ["W004"]),
        ({"notice": TEXT()}, ["W004"]),
        ({"count": NUMBER(read_only=True)}, ["W004"]),  # of the query, or a property
        ({"get_title_display": ANY()}, ["W004"]),  # the title is no choice
        ({"shelf_id": ANY()}, []),
        # rows that no key of the book leads to
        ({"notices": SLUG(slug_field="text", many=True, read_only=True)}, ["W009"]),
        ({"notices": TEXT(many=True)}, ["W009"]),
        ({"notices": serializer_of(Notice, ["text"])(many=True)}, ["W009"]),
    ],
    ids="-".join,
)
def test_w004_w009_what_a_record_is_made_from(declared, expected):
    serializer = serializer_of(Book, ["title", *declared], **declared)
    assert told(collection_of(Book, serializer)) == expected


@pytest.mark.parametrize(
    "field",
    [
        serializer_of(Remark, ["text"])(source="remark_set", many=True),
        SLUG(source="remark_set", slug_field="text", many=True, read_only=True),
        TEXT(source="remark_set", many=True),
        SyncRelatedField(source="remark_set", many=True, read_only=True),
        ANY(source="remark_set.count"),
    ],
)
def test_w009_the_way_back_of_a_key(field):
    serializer = serializer_of(Memo, ["title", "remarks"], remarks=field)
    assert told(collection_of(Memo, serializer)) == ["W009"]


def test_w009_the_way_back_by_its_own_name():
    assert told(collection_of(Memo, serializer_of(Memo, ["remark_set"]))) == ["W008", "W009"]
    by_key = {"remark_set": BY_KEY(many=True, read_only=True)}
    serializer = serializer_of(Memo, ["remark_set"], **by_key)
    assert told(collection_of(Memo, serializer)) == ["E008", "W009"]


def test_w009_the_other_end_of_a_list_and_of_a_key_to_one():
    cards = serializer_of(boards.Label, ["cards"])
    assert told(collection_of(boards.Label, cards)) == ["W009"]
    poster = serializer_of(Notice, ["poster"], poster=SyncRelatedField(read_only=True))
    assert told(collection_of(Notice, poster)) == ["W009"]


def test_w004_the_words_for_a_choice_are_the_rows_own():
    words = {"words": ANY(source="get_column_display")}
    serializer = serializer_of(boards.Card, ["words"], **words)
    assert told(collection_of(boards.Card, serializer)) == []


@pytest.mark.parametrize(
    ("touches", "source", "expected"),
    [
        (("notice__text",), "notice.text", []),
        (("notice",), "notice.text", []),
        (("notice__text",), "notice.sync_id", ["W004"]),  # another column
        (("shelf",), "notice.text", ["W004"]),
        (("notice",), "notice.poster.size", ["W004"]),  # further away than one key
    ],
)
def test_w004_what_is_touched_is_what_is_shown(monkeypatch, touches, source, expected):
    monkeypatch.setattr(Book, "sync_touches", touches)
    serializer = serializer_of(Book, ["other"], other=ANY(source=source))
    assert told(collection_of(Book, serializer)) == expected


def test_w004_says_what_to_write():
    serializer = serializer_of(Book, ["other"], other=ANY(source="notice.text"))
    (message,) = check_collection(collection_of(Book, serializer))
    assert "sync_touches = (“notice__text”,)" in message.hint


class AmongSome(SyncRelatedField):
    def get_queryset(self):
        return Shelf.objects.filter(name="free")


def test_w008_a_reference_that_is_looked_up_among_all():
    serializer = serializer_of(Book, ["shelf", "notices", "title"])
    assert told(collection_of(Book, serializer)) == ["W008", "W008"]
    read = serializer_of(Book, ["shelf"], shelf=SyncRelatedField(read_only=True))
    assert told(collection_of(Book, read)) == []
    limited = serializer_of(Book, ["shelf"], shelf=AmongSome())
    assert told(collection_of(Book, limited)) == []


@pytest.mark.usefixtures("shown")
def test_w008_not_where_a_collection_shows_them():
    serializer = serializer_of(Book, ["shelf", "notices", "title"])
    assert told(collection_of(Book, serializer)) == []


def test_w004_a_nested_serializer():
    nested = serializer_of(Book, ["notice"], notice=serializer_of(Notice, ["text"])())
    assert told(collection_of(Book, nested)) == ["W004"]


def test_w005_a_generic_key():
    serializer = serializer_of(Pin, ["object_id"])
    assert told(collection_of(Pin, serializer)) == ["W005"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"resolvers": {"text": LastWrite(), "*": Manual()}, "delete_resolver": Manual()}, []),
        ({"resolvers": {"text": LastWrite}}, ["E010"]),
        ({"delete_resolver": "LastWrite"}, ["E010"]),
        ({"resolvers": {"txet": LastWrite()}}, ["W010"]),
    ],
)
def test_resolvers_are_resolvers_of_fields(said, expected):
    assert told(collection_of(Notice, **said)) == expected
