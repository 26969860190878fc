"""Collections for tests of runs: plain ones, and ones with code that is hard to foretell."""

from __future__ import annotations

from typing import Any

from django.db import connection
from rest_framework import permissions, serializers, viewsets

from django_sync import sync
from django_sync.models import Change, Outbox
from tests.app.models import Doc, Event, Project


class EventSerializer(sync.SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Event
        fields = ("room", "name", "seats")


class EventViewSet(sync.SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Event.objects.all()
    serializer_class = EventSerializer
    permission_classes: Any = (permissions.IsAuthenticated,)
    rooms = ("hall", "attic")

    def get_scopes(self):
        return self.rooms


class DocSerializer(sync.SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Doc
        fields = ("project", "title", "body", "meta", "votes")


class DocViewSet(sync.SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Doc.objects.all()
    serializer_class = DocSerializer

    def get_scopes(self):
        return Project.objects.values_list("sync_id", flat=True)


def viewset_with(base: Any = EventViewSet, **members: Any) -> Any:
    """A viewset class with these members of its own."""
    return type(base.__name__, (base,), members)


def steps_of(model: Any) -> dict[Any, list[Any]]:
    """The feed's entries of each of the model's objects, in their order."""
    found: dict[Any, list[Any]] = {}
    if connection.vendor == "postgresql":
        entries: Any = Outbox.objects.order_by("id")
    else:
        entries = Change.objects.order_by("position")
    for row in entries.filter(model=model._meta.label_lower):
        step = (row.revision, row.op, row.columns, row.scope)
        found.setdefault(row.object_id, []).append(step)
    return found


class Renaming(EventSerializer):
    """Builds its own fields, and has rules of its own."""

    def get_fields(self) -> Any:
        fields = super().get_fields()
        if self.instance is not None:
            fields["room"].read_only = True
        return fields

    def validate(self, attrs: Any) -> Any:
        if attrs.get("seats", 0) > Event.objects.count() + 3:
            raise serializers.ValidationError("too many seats")
        return attrs


class Making(EventSerializer):
    """Creates and updates in its own way."""

    def create(self, validated_data: Any) -> Any:
        made = Event(**validated_data)
        made.seats += Event.objects.filter(room=made.room).count()
        made.save()
        return made

    def update(self, instance: Any, validated_data: Any) -> Any:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance


class Unasked(EventSerializer):
    """Leaves the unique name to the database."""

    class Meta(EventSerializer.Meta):
        extra_kwargs: Any = {"name": {"validators": []}}  # noqa: RUF012 - the shape that DRF asks for


class FewSeats(permissions.BasePermission):
    """Looks at the data: no more than so many seats in all."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method == "GET" or sum(Event.objects.values_list("seats", flat=True)) < 12

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return bool(obj.seats != 3)


def count_others(self: Any, serializer: Any) -> None:
    """Changes all other rows of the same room."""
    made = serializer.save()
    for other in Event.objects.filter(room=made.room, name__lt=made.name)[:1]:
        other.seats += 1
        other.save()


def hold_and_ask(self: Any, serializer: Any) -> None:
    """Saves twice, and refuses some after the save."""
    made = serializer.save(seats=serializer.validated_data.get("seats", 0) % 5)
    if made.name == "d":
        raise serializers.ValidationError({"name": "not this one"})
    if made.seats == 2:
        made.seats = 4
        made.save()


def write_beside(self: Any, serializer: Any) -> None:
    Project.objects.create(name=serializer.save().name)


def open_rooms(self: Any) -> Any:
    return ["hall", *Event.objects.filter(seats__gt=2).values_list("room", flat=True)]


def mark_as_gone(self: Any, instance: Any) -> None:
    instance.seats = 0
    instance.save()


ODD: dict[str, dict[str, Any]] = {
    "plain": {},
    "renaming": {"serializer_class": Renaming},
    "making": {"serializer_class": Making},
    "unasked": {"serializer_class": Unasked},
    "few seats": {"permission_classes": (FewSeats,)},
    "count others": {"perform_create": count_others, "perform_update": count_others},
    "hold and ask": {"perform_create": hold_and_ask, "perform_update": hold_and_ask},
    "write beside": {"perform_create": write_beside},
    "open rooms": {"get_scopes": open_rooms},
    "mark as gone": {"perform_destroy": mark_as_gone},
}
"""Members of viewset classes, by what they do."""
