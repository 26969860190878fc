"""Boards over DRF: what a record shows, and who may do what.

Sync asks these viewsets; the project could route them as its own API as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import permissions, serializers, viewsets
from rest_framework.request import Request
from rest_framework.views import APIView

from django_sync.merge import ClientWins, LastWrite, Manual
from django_sync.sync import SyncSerializerMixin, SyncViewSetMixin

from .models import Board, Card, Comment, Label


class BoardSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    owner: serializers.Field = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = Board
        fields = ["name", "color", "owner"]


class LabelSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Label
        fields = ["board", "name", "color"]

    def validate_board(self, board: Board) -> Board:
        """A label stays on its board: moved away, it would be on cards of another."""
        if self.instance is not None and self.instance.board_id != board.pk:
            raise serializers.ValidationError("A label stays on its board.", "fixed")
        return board


class CardSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Card
        fields = [
            "board",
            "title",
            "body",
            "column",
            "position",
            "votes",
            "due",
            "checklist",
            "labels",
            "created_at",
        ]

    def validate_checklist(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise serializers.ValidationError("A checklist is a list.", "not_a_list")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        board = attrs["board"] if self.instance is None else attrs.get("board", self.instance.board)
        if any(label.board_id != board.pk for label in attrs.get("labels", ())):
            error = serializers.ErrorDetail("A card's labels are of its board.", "other_board")
            raise serializers.ValidationError({"labels": [error]})
        return attrs


class CommentSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    author: serializers.Field = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = Comment
        fields = ["card", "author", "text", "created_at"]


class OwnerWrites(permissions.BasePermission):
    """A board is changed and deleted by its owner alone."""

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or obj.owner_id == request.user.pk


class AuthorWrites(permissions.BasePermission):
    """A comment is changed and deleted by its author alone."""

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or obj.author_id == request.user.pk


class BoardScoped(SyncViewSetMixin, viewsets.ModelViewSet):
    """What all four share: a board is the scope, and membership opens it."""

    permission_classes: Any = [permissions.IsAuthenticated]
    shared_rendering = True  # who sees a board sees all of it

    def get_scopes(self) -> Iterable[object]:
        return Board.objects.visible_to(self.request.user).values_list("sync_id", flat=True)

    def may_write_scope(self, scope: str) -> bool:
        return Board.objects.editable_by(self.request.user).filter(sync_id=scope).exists()


class BoardViewSet(BoardScoped):
    queryset = Board.objects.select_related("owner")
    serializer_class = BoardSerializer
    permission_classes = [permissions.IsAuthenticated, OwnerWrites]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(owner=self.request.user)


class LabelViewSet(BoardScoped):
    queryset = Label.objects.all()
    serializer_class = LabelSerializer


class CardViewSet(BoardScoped):
    queryset = Card.objects.all()
    serializer_class = CardSerializer
    resolvers = {"column": LastWrite(), "position": ClientWins(), "*": Manual()}

    def perform_update(self, serializer: Any) -> None:
        card = serializer.save()
        if "board" in serializer.validated_data:
            card.drop_foreign_labels()


class CommentViewSet(BoardScoped):
    queryset = Comment.objects.select_related("author")
    serializer_class = CommentSerializer
    permission_classes = [permissions.IsAuthenticated, AuthorWrites]

    def perform_create(self, serializer: Any) -> None:
        serializer.save(author=self.request.user)
