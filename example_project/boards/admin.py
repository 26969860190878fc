"""The admin, and what the mixin adds to it: two people do not overwrite each other unseen."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from django_sync.admin import SyncAdminMixin

from .models import Board, Card, Comment, Label, Membership


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0


class LabelInline(admin.TabularInline):
    """Synced: under a mixin's page its rows carry their revisions as well."""

    model = Label
    extra = 0


@admin.register(Board)
class BoardAdmin(SyncAdminMixin, admin.ModelAdmin):
    list_display = ["name", "owner", "color"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    inlines = [MembershipInline, LabelInline]


@admin.register(Label)
class LabelAdmin(SyncAdminMixin, admin.ModelAdmin):
    list_display = ["name", "board", "color"]
    list_filter = ["board"]
    list_select_related = ["board"]

    def get_readonly_fields(self, request: HttpRequest, obj: Label | None = None) -> list[str]:
        return [] if obj is None else ["board"]  # its cards are there


@admin.register(Card)
class CardAdmin(SyncAdminMixin, admin.ModelAdmin):
    list_display = ["title", "board", "column", "position", "votes", "due"]
    list_filter = ["board", "column"]
    list_select_related = ["board"]
    search_fields = ["title", "body"]

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.drop_foreign_labels()


@admin.register(Comment)
class CommentAdmin(SyncAdminMixin, admin.ModelAdmin):
    list_display = ["card", "author", "text", "created_at"]
    list_filter = ["card__board"]
    list_select_related = ["card", "author"]
