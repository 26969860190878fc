"""The models of docs/howto/server/access.md: what stands on the page is copied from here."""

from django.conf import settings
from django.db import models

from django_sync.models import SyncModel


# Ownership
class Note(SyncModel):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField()

    sync_scope_path = "owner"


# Membership
class Board(SyncModel):
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership")

    sync_scope_path = "self"
    sync_ignore = ("members",)  # who sees a board is no part of its record


class Membership(models.Model):
    board = models.ForeignKey(Board, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    role = models.CharField(max_length=6, choices=[("viewer", "Viewer"), ("editor", "Editor")])


class Card(SyncModel):
    board = models.ForeignKey(Board, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)

    sync_scope_path = "board"


class Comment(SyncModel):
    card = models.ForeignKey(Card, on_delete=models.CASCADE)
    text = models.TextField()

    sync_scope_path = "card__board"


# Groups
class Notice(SyncModel):
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE)
    text = models.TextField()

    sync_scope_path = "group"


# Single objects
class Document(SyncModel):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)

    sync_scope_path = "self"


class Paragraph(SyncModel):
    document = models.ForeignKey(Document, on_delete=models.CASCADE)
    text = models.TextField()

    sync_scope_path = "document"


class Share(models.Model):
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    may_write = models.BooleanField(default=False)


# One object out of a larger scope
class SharedCard(SyncModel):
    card = models.ForeignKey(Card, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)

    sync_scope_path = "user"
    sync_touches = ("card__title",)


# Tenants
class Tenant(models.Model):
    name = models.CharField(max_length=100)


class Employee(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)


class Customer(SyncModel):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)

    sync_scope_path = "tenant"


class Invoice(SyncModel):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    total = models.DecimalField(max_digits=10, decimal_places=2)

    sync_scope_path = "tenant"


# No scopes
class Country(SyncModel):
    name = models.CharField(max_length=100)
    code = models.CharField(max_length=2)


# What records depend on
class Magazine(models.Model):
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL)


class Article(SyncModel):
    magazine = models.ForeignKey(Magazine, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    publish_at = models.DateTimeField()

    sync_scope_path = "magazine"


class Product(SyncModel):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)


class Review(SyncModel):
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField()

    sync_touches = ("author__username",)
