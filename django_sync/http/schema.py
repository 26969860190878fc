"""OpenAPI by drf-spectacular, for projects that use it. Only this file imports it.

A project with drf-spectacular finds the sync endpoints in its schema like any others. With
``each_collection`` in its ``PREPROCESSING_HOOKS``, each collection has its own endpoints, with the
shape of its records. Without it, one set of endpoints stands for all collections.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.schemas.inspectors import ViewInspector

from ..drf.caller import Caller
from ..drf.collection import READ, Collection
from ..drf.registry import registry
from ..protocol import Json
from . import notation as n
from . import operations as o

if TYPE_CHECKING:
    AutoSchema: Any = ViewInspector
    OpenApiSerializerFieldExtension: Any = object
    ResolvedComponent: Any = None
    spectacular_settings: Any = None
else:
    try:
        import drf_spectacular  # noqa: F401 - is it there? An error within it must not be hidden
    except ModuleNotFoundError:  # an extra, which a project may do without
        AutoSchema, OpenApiSerializerFieldExtension = ViewInspector, object
    else:
        from drf_spectacular.extensions import OpenApiSerializerFieldExtension
        from drf_spectacular.openapi import AutoSchema
        from drf_spectacular.plumbing import ResolvedComponent
        from drf_spectacular.settings import spectacular_settings

log = logging.getLogger("django_sync.http")

ANY = "{collection}"
METHODS = {"GET": "read", "POST": "create", "PATCH": "update", "DELETE": "delete"}

Endpoint = tuple[str, str, str, Any]
"""Path, its regular expression, method and view function, as drf-spectacular lists them."""


def each_collection(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Replace each path for any collection by one for each that offers the method."""
    return list(_named(endpoints))


def _named(endpoints: list[Endpoint]) -> Iterator[Endpoint]:
    for path, regex, method, callback in endpoints:
        if not getattr(getattr(callback, "cls", None), "of_collection", False):
            yield path, regex, method, callback
            continue
        for collection in registry:
            if collection.offers(METHODS[method]):
                yield path.replace(ANY, collection.name), regex, method, callback


def pascal(name: str) -> str:
    """A collection's name as part of a component's."""
    return "".join(word.title() for word in name.replace("-", "_").split("_"))


class Reference(OpenApiSerializerFieldExtension):  # type: ignore[misc]  # an optional import
    """A reference to a synced object is its id."""

    target_class = "django_sync.drf.serializers.SyncRelatedField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        return dict(n.UUID)


class SyncSchema(AutoSchema):  # type: ignore[misc]  # an optional import
    """Describes an endpoint of sync from ``operations`` and the collections' serializers."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Json | None:
        """One operation of the schema, as drf-spectacular asks for it."""
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method
        asked = o.OPERATIONS.get((type(self.view).__name__, method))
        if asked is None:
            return None
        self._shared()
        name = None
        if self.view.of_collection and ANY not in path:
            name = path.partition("/{id}")[0].rstrip("/").rpartition("/")[2]
        made = self._operation(asked, name)
        return self._in_version(made)

    def _operation(self, asked: o.Operation, name: str | None) -> Json:
        prefix = "Any" if name is None else pascal(name)
        under = f"{name}_" if name else "records_" if self.view.of_collection else ""
        made: Json = {
            "operationId": f"sync_{under}{asked.name}".replace("-", "_"),
            "summary": asked.summary,
            "tags": [name or "sync"],
            "parameters": [*self._path_parameters(name), *asked.parameters],
        }
        if asked.body is not None:
            schema = n.ref(asked.body.format(prefix))
            made["requestBody"] = {
                "content": {"application/json": {"schema": schema}},
                "required": True,
            }
        if auth := self.get_auth():
            made["security"] = auth
        good: Json = {"description": "As asked."}
        if asked.answer is not None:
            schema = n.ref(asked.answer.format(prefix))
            good["content"] = {"application/json": {"schema": schema}}
        if asked.headers:
            good["headers"] = asked.headers
        empty = {str(status): {"description": "Nothing new."} for status in asked.empty}
        wrong = {
            str(status): n.ref(o.problem_name(status), "responses")
            for status in sorted({*o.ALWAYS, *asked.problems})
        }
        made["responses"] = {str(asked.status): good, **empty, **wrong}
        return made

    def _path_parameters(self, name: str | None) -> Iterator[Json]:
        if ANY in self.path:
            yield o.in_path("collection", n.words(c.name for c in registry))
        if "{id}" in self.path:
            yield o.in_path("id", n.UUID)

    # Components

    def _shared(self) -> None:
        """Add the components that every operation may refer to."""
        for name, schema in o.SCHEMAS.items():
            self._component(name, schema)
        for status, response in o.problems().items():
            self._component(o.problem_name(status), response, "responses")
        for collection in registry:
            self._collection(collection)
        records = [n.ref(f"{pascal(c.name)}Record") for c in registry]
        unnamed = n.record(n.TEXT, n.OBJECT)
        self._component("AnyRecord", {"oneOf": records} if records else unnamed)
        if self.view.of_collection and ANY in self.path:
            self._any()

    def _any(self) -> None:
        """Add the components for paths that do not name a collection."""
        self._component("AnyPage", n.page_of(n.ref("AnyRecord")))
        self._component("AnyCreate", n.strict({"id": n.UUID}, object=n.OBJECT))
        self._component("AnyUpdate", n.strict(object=n.OBJECT))

    def _collection(self, collection: Collection) -> None:
        name = pascal(collection.name)
        shown, written = self._objects(collection)
        for_update = {key: value for key, value in written.items() if key != "required"}
        self._component(f"{name}Object", shown)
        made = n.record(n.const(collection.name), n.ref(f"{name}Object"))
        self._component(f"{name}Record", made)
        self._component(f"{name}Page", n.page_of(n.ref(f"{name}Record")))
        self._component(f"{name}Create", n.strict({"id": n.or_null(n.UUID)}, object=written))
        self._component(f"{name}Update", n.strict(object=for_update))

    def _objects(self, collection: Collection) -> tuple[Json, Json]:
        """Return the schemas of a record's content and of what a client may write of it."""
        serializer = serializer_of(collection)
        if serializer is None:
            return n.OBJECT, n.OBJECT
        shown = self._map_serializer(serializer, "response")
        asked = self._map_serializer(serializer, "request")
        readable, writable, needed = {}, {}, []
        for name, field in serializer.fields.items():
            if not field.write_only:
                readable[name] = shown["properties"][name]
            if not field.read_only:
                writable[name] = asked["properties"][name]
                needed += [name] if field.required else []
        always = [name for name in shown.get("required", ()) if name in readable]
        written = {"type": "object", "properties": writable, "additionalProperties": False}
        return (
            {"type": "object", "properties": readable, "required": always},
            written | ({"required": needed} if needed else {}),
        )

    def _component(self, name: str, schema: Json, kind: str = "schemas") -> None:
        made = self._in_version(schema)
        component = ResolvedComponent(name=name, type=kind, schema=made, object=name)
        self.registry.register_on_missing(component)

    def _in_version(self, schema: Json) -> Json:
        """Return a copy in the project's version of OpenAPI; hooks may change what they get."""
        older = spectacular_settings.OAS_VERSION.startswith("3.0")
        return n.older(schema) if older else copy.deepcopy(schema)


def serializer_of(collection: Collection) -> Any:
    """Return the serializer for a reader without a user; ``None`` if it cannot be made."""
    viewset = collection.viewset(Caller.for_user(AnonymousUser()), READ)
    viewset.swagger_fake_view = True
    try:
        return viewset.get_serializer()
    except Exception:  # noqa: BLE001 - the project's code may need a real user
        log.warning("%s: no serializer without a user; its schema is open", collection.name)
        return None


inspector: Any = SyncSchema() if AutoSchema is not ViewInspector else ViewInspector()
"""The ``schema`` of the views."""
