"""The OpenAPI schema: what is in it, in which version, and that nothing needs drf-spectacular."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from django_sync.drf.registry import registry
from django_sync.errors import BY_CODE, ClientError
from django_sync.http import operations, schema, urls
from django_sync.http.health import HealthView
from django_sync.http.views import OpenView
from example_project.boards import api
from tests.tools.pages import ROOT


def generated(**settings: Any) -> dict[str, Any]:
    with patched_settings(settings):
        made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


def test_drf_spectacular_finds_nothing_amiss() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


def test_every_method_of_every_view_is_described() -> None:
    there = set()
    for pattern in urls.urlpatterns:
        if issubclass(pattern.callback.view_class, HealthView):
            continue  # a load balancer's, and no call of the protocol
        view = pattern.callback.cls
        if view.schema is None:
            assert issubclass(view, OpenView)  # held open, and described in AsyncAPI
            continue
        there |= {
            (view.__name__, m) for m in view().allowed_methods if m not in ("OPTIONS", "HEAD")
        }
    assert there == set(operations.OPERATIONS)


def test_each_collection_has_paths_and_shapes_of_its_own() -> None:
    made = generated()
    for collection in registry:
        for path in ("", "{id}/", "{id}/history/"):
            assert f"/sync/{collection.name}/{path}" in made["paths"]
    shapes = made["components"]["schemas"]
    assert set(shapes["CardsObject"]["properties"]) == set(api.CardSerializer().fields)
    written = shapes["CardsCreate"]["properties"]["object"]
    assert set(written["properties"]) == set(api.CardSerializer().fields) - {"created_at"}
    assert written["required"] == ["board", "title"]
    assert shapes["CardsObject"]["properties"]["board"] == {"type": "string", "format": "uuid"}
    names = [o["operationId"] for path in made["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


def test_a_collection_that_is_only_read_has_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.LabelViewSet, "http_method_names", ["get"])
    made = generated()
    assert set(made["paths"]["/sync/labels/"]) == {"get"}
    assert set(made["paths"]["/sync/labels/{id}/"]) == {"get"}


def test_without_the_hook_one_path_stands_for_all() -> None:
    made = generated(PREPROCESSING_HOOKS=[])
    parameter = made["paths"]["/sync/{collection}/"]["get"]["parameters"][0]
    assert parameter["schema"]["enum"] == [collection.name for collection in registry]
    assert "/sync/cards/" not in made["paths"]
    assert "AnyPage" in made["components"]["schemas"]


def test_a_project_that_is_set_to_openapi_3_0() -> None:
    made = generated(OAS_VERSION="3.0.3")
    assert "'const'" not in str(made)
    assert "'null'" not in str(made)
    actor = made["components"]["schemas"]["Revision"]["properties"]["actor"]
    assert actor == {"type": "string", "nullable": True}


def test_every_error_that_is_sent_is_described() -> None:
    told = str(generated()["components"]["responses"])
    for code, error in BY_CODE.items():
        if not issubclass(error, ClientError):
            assert f"`{code}`" in told


def test_a_serializer_that_wants_a_user_leaves_its_schema_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_user(view: Any) -> Any:
        return {"ada": api.CardSerializer}[view.request.user.username]

    monkeypatch.setattr(api.CardViewSet, "get_serializer_class", by_user)
    assert generated()["components"]["schemas"]["CardsObject"] == {"type": "object"}


def test_all_else_works_without_drf_spectacular() -> None:
    script = (
        "import sys; sys.modules['drf_spectacular'] = None\n"
        "import django; django.setup()\n"
        "from django_sync.http import schema, urls, views\n"
        "from rest_framework.schemas.inspectors import ViewInspector\n"
        "assert type(views.SyncView.schema) is ViewInspector\n"
        "from rest_framework.test import APIClient\n"
        "answer = APIClient().get('/sync/', headers={'host': 'localhost'})\n"
        "assert answer.status_code == 401, answer\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "example_project.settings", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_made_twice_it_is_the_same() -> None:
    assert generated() == generated()


def test_names_of_components() -> None:
    assert schema.pascal("time_sheets") == schema.pascal("time-sheets") == "TimeSheets"
