"""What a member of staff may see and do: Django's permissions, and those of the model's admin.

The project's DRF permissions are not checked: they are made for the users of the API.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.auth import get_permission_codename
from django.db import models
from django.http import HttpRequest

from ..conf import conf
from ..fields import id_field

Model = type[models.Model]


def model_of(label: str) -> Model | None:
    """The model of an entry's label; ``None`` if the project does not have it any more."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def row_of(model: Model, id: uuid.UUID) -> Any:
    """The object with this id, without a permission check; ``None`` if it is deleted."""
    rows = model._base_manager.using(conf.DATABASE)
    return rows.filter(**{id_field(model).name: id}).order_by().first()


def may(site: AdminSite, request: HttpRequest, action: str, model: Model, row: Any = None) -> bool:
    """Whether staff may ``view``, ``add``, ``change`` or ``delete`` objects of the model.

    The user needs the permission. If the model has pages in the admin, they must allow it as well,
    and ``row`` must be among the rows that they list.
    """
    named = (action, "change") if action == "view" else (action,)
    codes = (get_permission_codename(one, model._meta) for one in named)
    user: Any = request.user
    if not any(user.has_perm(f"{model._meta.app_label}.{code}") for code in codes):
        return False
    pages: Any = site._registry.get(model)
    if pages is None:
        return True
    ask = getattr(pages, f"has_{action}_permission")
    if not (ask(request) if action == "add" else ask(request, row)):
        return False
    return row is None or pages.get_queryset(request).filter(pk=row.pk).exists()
