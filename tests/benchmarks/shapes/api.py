"""Viewsets of the shapes: sync asks them, and plain DRF lists by them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, viewsets

from django_sync.sync import SyncSerializerMixin, SyncViewSetMixin

from .models import COLUMNS, Article, Branch, Device, Reading, Region, Site, Topic, Wide


def serializer_of(of: type[Any], names: list[str]) -> type[serializers.ModelSerializer]:
    class Meta:
        model = of
        fields = names

    bases = (SyncSerializerMixin, serializers.ModelSerializer)
    return type(f"{of.__name__}Serializer", bases, {"Meta": Meta})


class InRoom(SyncViewSetMixin, viewsets.ModelViewSet):
    """Rows that name whose they are."""

    def get_queryset(self) -> Any:
        model = self.serializer_class.Meta.model  # type: ignore[union-attr]  # each has one
        return model.objects.filter(room=self.request.user.username)

    def get_scopes(self) -> list[str]:
        return [self.request.user.username]


class WideViewSet(InRoom):
    serializer_class = serializer_of(Wide, COLUMNS)


class BranchViewSet(InRoom):
    serializer_class = serializer_of(Branch, ["name", "parent"])


class TopicViewSet(InRoom):
    serializer_class = serializer_of(Topic, ["name"])


class ArticleViewSet(InRoom):
    serializer_class = serializer_of(Article, ["title", "body", "topics"])

    def get_queryset(self) -> Any:
        return super().get_queryset().prefetch_related("topics")


class InRegion(SyncViewSetMixin, viewsets.ModelViewSet):
    """Rows of the regions that are called as the user is."""

    path = ""

    def get_queryset(self) -> Any:
        model = self.serializer_class.Meta.model  # type: ignore[union-attr]  # each has one
        return model.objects.filter(**{f"{self.path}name": self.request.user.username})

    def get_scopes(self) -> list[str]:
        found = Region.objects.filter(name=self.request.user.username)
        return [str(id) for id in found.values_list("sync_id", flat=True)]


class RegionViewSet(InRegion):
    serializer_class = serializer_of(Region, ["name"])


class SiteViewSet(InRegion):
    serializer_class = serializer_of(Site, ["region", "name"])
    path = "region__"


class DeviceViewSet(InRegion):
    serializer_class = serializer_of(Device, ["site", "name"])
    path = "site__region__"


class ReadingViewSet(InRegion):
    serializer_class = serializer_of(Reading, ["device", "value", "at"])
    path = "device__site__region__"

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("device")
