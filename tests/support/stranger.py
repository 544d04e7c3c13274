"""Every route of the application, and somebody who asks it things that are not his."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from starlette.routing import Route

from storage.clock import utc_now


@dataclass(frozen=True, slots=True)
class Door:
    """One method of one route.

    asked: its OpenAPI operation, empty where it is not described.
    """

    method: str
    path: str
    asked: Mapping[str, Any]

    @property
    def named(self) -> list[str]:
        """The names in the path, such as `workitem_id`."""
        parts = self.path.split("{")[1:]
        return [part.split("}")[0].split(":")[0] for part in parts]

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with its names filled in."""
        path = self.path.replace(":path}", "}")
        for name in self.named:
            path = path.replace(f"{{{name}}}", values[name])
        return path


def doors(app: FastAPI) -> list[Door]:
    """Every method of every route, those that the OpenAPI document leaves out as well."""
    described = app.openapi()
    found: dict[tuple[str, str], Door] = {}
    for path, methods in paths(app):
        operations = described["paths"].get(path.replace(":path}", "}"), {})
        for method in sorted(methods - {"HEAD"}):
            found[method, path] = Door(method, path, operations.get(method.lower(), {}))
    return list(found.values())


def paths(app: FastAPI) -> Generator[tuple[str, set[str]]]:
    """Every route's path as the application writes it, and its methods."""
    for one in app.routes:
        included = getattr(one, "effective_route_contexts", None)
        if included is not None:
            for context in included():
                # A WebSocket has no methods; its refusals have tests of their own.
                if getattr(context, "methods", None):
                    yield context.path, set(context.methods)
        elif isinstance(one, Route):
            yield one.path, set(one.methods or ())
        else:
            yield str(getattr(one, "path", one)), {"GET"}


def body_of(app: FastAPI, door: Door) -> dict[str, Any] | None:
    """A body that a route's schema takes; None where it describes none."""
    content = door.asked.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return _example(schema, app.openapi()) if schema else None


def query_of(app: FastAPI, door: Door) -> dict[str, Any]:
    """The parameters without which a route is not understood."""
    return {
        one["name"]: _example(one["schema"], app.openapi())
        for one in door.asked.get("parameters", ())
        if one["in"] == "query" and one.get("required")
    }


def _example(  # noqa: PLR0911 -- one for each kind of schema
    schema: Mapping[str, Any], document: Mapping[str, Any]
) -> Any:  # noqa: ANN401 -- any JSON value
    """The least that a JSON schema takes."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _example(document["components"]["schemas"][name], document)
    for either in ("anyOf", "oneOf", "allOf"):
        if either in schema:
            return _example(schema[either][0], document)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: _example(part, document)
                for name, part in schema.get("properties", {}).items()
                if name in required
            }
        case "array":
            return [_example(schema["items"], document)] * int(schema.get("minItems", 0))
        case "integer" | "number":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0))
        case "boolean":
            return False
        case _:
            return _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    known = {
        "uuid": str(uuid4()),
        "date": f"{date(2026, 11, 20)}",
        "date-time": (utc_now() + timedelta(hours=1)).isoformat(),
        "time-local": "08:00",
    }
    return known.get(schema.get("format", ""), "x" * max(1, int(schema.get("minLength", 1))))
