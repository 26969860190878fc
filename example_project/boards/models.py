"""Boards with cards in three columns, their labels and comments, and who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from django_sync.models import SyncModel

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

is_color = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "A colour is written as #rrggbb.")


class BoardQuerySet(models.QuerySet["Board"]):
    """Boards by what a user may do with them."""

    def visible_to(self, user: User | AnonymousUser) -> BoardQuerySet:
        """Those that the user owns or is a member of; being staff opens none."""
        return self._of(user, Membership.objects.all())

    def editable_by(self, user: User | AnonymousUser) -> BoardQuerySet:
        """Those whose cards, labels and comments the user may write."""
        return self._of(user, Membership.objects.filter(role=Membership.Role.EDITOR))

    def _of(
        self, user: User | AnonymousUser, memberships: models.QuerySet[Membership]
    ) -> BoardQuerySet:
        if user.pk is None:
            return self.none()
        shared = memberships.filter(user_id=user.pk).values("board")
        return self.filter(Q(owner_id=user.pk) | Q(pk__in=shared))


class Board(SyncModel):
    name = models.CharField(max_length=120)
    color = models.CharField(max_length=7, default="#3465a4", validators=[is_color])
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owned_boards"
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="boards"
    )

    objects = BoardQuerySet.as_manager()

    sync_scope_path = "self"
    sync_ignore = ("members",)  # who sees a board is no part of its record
    sync_touches = ("owner__username",)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Who besides the owner sees a board; only editors may write on it."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        EDITOR = "editor"

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=6, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["board", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.board}"


class Label(SyncModel):
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=40)
    color = models.CharField(max_length=7, default="#888a85", validators=[is_color])

    sync_scope_path = "board"

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["board", "name"], name="one_label_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Card(SyncModel):
    class Column(models.TextChoices):
        TODO = "todo", "To do"
        DOING = "doing"
        DONE = "done"

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="cards")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True, default="")
    column = models.CharField(max_length=5, choices=Column, default=Column.TODO)
    position = models.FloatField(default=0)
    votes = models.IntegerField(default=0)
    due = models.DateField(null=True, blank=True)
    checklist = models.JSONField(default=list, blank=True)
    labels = models.ManyToManyField(Label, blank=True, related_name="cards")
    created_at = models.DateTimeField(auto_now_add=True)

    sync_scope_path = "board"

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title

    def drop_foreign_labels(self) -> None:
        """Take off the labels of other boards; to be called when the card may have moved."""
        self.labels.remove(*self.labels.exclude(board=self.board_id))


class Comment(SyncModel):
    card = models.ForeignKey(Card, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments"
    )
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    sync_scope_path = "card__board"  # a comment follows its card to another board
    sync_touches = ("author__username",)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"{self.author} on {self.card}"
