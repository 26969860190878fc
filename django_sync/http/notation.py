"""Short functions with which ``operations`` writes JSON schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol import Json

TEXT: Json = {"type": "string"}
UUID: Json = {"type": "string", "format": "uuid"}
COUNT: Json = {"type": "integer", "minimum": 0}
OBJECT: Json = {"type": "object"}


def ref(name: str, kind: str = "schemas") -> Json:
    """Refer to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def or_null(schema: Json) -> Json:
    """Allow null, too."""
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def words(values: Iterable[str]) -> Json:
    """Allow one of these strings."""
    return {"type": "string", "enum": [str(value) for value in values]}


def const(value: object) -> Json:
    """Allow only this value."""
    return {"const": value}


def listed(items: Json) -> Json:
    """A list of these."""
    return {"type": "array", "items": items}


def members(optional: Mapping[str, Json] | None = None, /, **required: Json) -> Json:
    """An object in an answer: required and optional members; others are ignored."""
    made: Json = {"type": "object", "properties": {**required, **(optional or {})}}
    return made | ({"required": list(required)} if required else {})


def strict(optional: Mapping[str, Json] | None = None, /, **required: Json) -> Json:
    """An object in a request: an unknown member is malformed."""
    return members(optional, **required) | {"additionalProperties": False}


def page_of(items: Json) -> Json:
    """A page of a list of these."""
    return members(results=listed(items), next=or_null({**TEXT, "format": "uri"}))


def record(collection: Json, content: Json) -> Json:
    """A record with this content."""
    return members(collection=collection, id=UUID, revision=COUNT, scope=TEXT, object=content)


def older(schema: Any) -> Any:
    """Return the same schema in OpenAPI 3.0, for projects that use it."""
    if isinstance(schema, list):
        return [older(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: older(part) for key, part in schema.items()}
    if isinstance(made.get("type"), list):
        made.update(type=made["type"][0], nullable=True)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if {"type": "null"} in made.get("anyOf", ()):
        made["anyOf"] = [part for part in made["anyOf"] if part != {"type": "null"}]
        made["nullable"] = True
    return made
