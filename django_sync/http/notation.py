"""How ``operations`` writes a JSON schema down: a word for each thing that it says often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol import Json

TEXT: Json = {"type": "string"}
UUID: Json = {"type": "string", "format": "uuid"}
COUNT: Json = {"type": "integer", "minimum": 0}
OBJECT: Json = {"type": "object"}


def ref(name: str, kind: str = "schemas") -> Json:
    """Stand for a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def or_null(schema: Json) -> Json:
    """This, or null."""
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def words(values: Iterable[str]) -> Json:
    """One of these strings."""
    return {"type": "string", "enum": [str(value) for value in values]}


def const(value: object) -> Json:
    """This value alone."""
    return {"const": value}


def listed(items: Json) -> Json:
    """A list of these."""
    return {"type": "array", "items": items}


def members(optional: Mapping[str, Json] | None = None, /, **required: Json) -> Json:
    """An answer's object: these members are there, those may be; others are ignored."""
    made: Json = {"type": "object", "properties": {**required, **(optional or {})}}
    return made | ({"required": list(required)} if required else {})


def strict(optional: Mapping[str, Json] | None = None, /, **required: Json) -> Json:
    """A request's object: an unknown member is malformed."""
    return members(optional, **required) | {"additionalProperties": False}


def page_of(items: Json) -> Json:
    """A page of a list of these."""
    return members(results=listed(items), next=or_null({**TEXT, "format": "uri"}))


def record(collection: Json, content: Json) -> Json:
    """A record with this content."""
    return members(collection=collection, id=UUID, revision=COUNT, scope=TEXT, object=content)


def older(schema: Any) -> Any:
    """The same in the words of OpenAPI 3.0, for projects that are set to it."""
    if isinstance(schema, list):
        return [older(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: older(inner) for key, inner in schema.items()}
    if isinstance(made.get("type"), list):
        made.update(type=made["type"][0], nullable=True)
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if {"type": "null"} in made.get("anyOf", ()):
        made["anyOf"] = [inner for inner in made["anyOf"] if inner != {"type": "null"}]
        made["nullable"] = True
    return made
