"""Retrieve Capabilities (PS3.18 §8.9): what can be asked here, as WADL or the same in JSON.

It is told from the routes themselves, so that what is offered and what is answered are one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

from reading_worklist.dicomweb import rendered_routes, retrieve_routes, search_routes, store_routes
from reading_worklist.dicomweb.media_types import (
    DICOM,
    DICOM_JSON,
    JSON,
    MULTIPART,
    OCTET_STREAM,
    Offer,
    choose,
    not_acceptable,
)
from reading_worklist.dicomweb.rendering import JPEG, PNG
from reading_worklist.dicomweb.requests import Asked, Asks
from reading_worklist.problems import not_found

router = APIRouter()

WADL: Final = "application/vnd.sun.wadl+xml"
_NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"
_OFFERS: Final = (Offer(WADL), Offer(JSON))
_IN_PARTS: Final = f'{MULTIPART}; type="{DICOM}"'
_FRAMES: Final = (
    f'{MULTIPART}; type="{OCTET_STREAM}"',
    OCTET_STREAM,
    *(f'{MULTIPART}; type="{one}"' for one in ("image/jp2", "image/dicom-rle")),
)
# What the last word of a resource's path that is no parameter tells of its representations.
_REPRESENTATIONS: Final[Mapping[str, Sequence[str]]] = {
    "studies": (_IN_PARTS,),
    "series": (_IN_PARTS,),
    "instances": (_IN_PARTS, DICOM),
    "metadata": (DICOM_JSON,),
    "frames": _FRAMES,
    "bulkdata": (f'{MULTIPART}; type="{OCTET_STREAM}"', OCTET_STREAM),
    "rendered": (JPEG, PNG, "application/pdf", "image/svg+xml"),
    "thumbnail": (JPEG,),
    "wado": (JPEG, PNG, DICOM),
}
_SEARCH_PARAMETERS: Final = (
    "{attributeID}",
    "includefield",
    "fuzzymatching",
    "emptyvaluematching",
    "limit",
    "offset",
)
_RENDERING_PARAMETERS: Final = ("viewport", "window", "quality")


@dataclass(frozen=True, slots=True)
class _Method:
    """A method of a resource; representations of its request for POST, else of its response."""

    name: str
    id: str
    parameters: Sequence[str]
    request: Sequence[str]
    response: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Resource:
    """A resource; its path is below the root, with the names of parameters in braces."""

    path: str
    methods: Sequence[_Method]


@router.options("")
@router.options("/")
def describe_all(asked: Asks) -> Response:
    """Describe every resource below the root."""
    return _answer(asked, _resources(_routes()))


@router.options("/{path:path}")
def describe(asked: Asks, path: str) -> Response:
    """Describe what can be done with one resource."""
    of_path = [one for one in _routes() if one.path_regex.fullmatch(f"/{path}")]
    if not of_path:
        raise not_found("The resource")
    return _answer(asked, _resources(of_path))


def _answer(asked: Asked, resources: Sequence[_Resource]) -> Response:
    choice = choose(asked.accepted, _OFFERS, default_multipart=False)
    if choice is None:
        raise not_acceptable(_OFFERS, multipart=False)
    site = asked.root.site_code
    base = f"{asked.base_url}/dicom-web/" + (f"sites/{site}/" if site else "")
    names = {method.name for one in resources for method in one.methods}
    headers = {"Allow": ", ".join(sorted(names | {"HEAD", "OPTIONS"})), "Vary": "Accept"}
    if choice.offer.media_type == JSON:
        return JSONResponse(_as_json(base, resources), headers=headers)
    return Response(_as_wadl(base, resources), media_type=WADL, headers=headers)


def _routes() -> list[APIRoute]:
    modules = (search_routes, retrieve_routes, rendered_routes, store_routes)
    found = (route for module in modules for route in module.router.routes)
    # What is refused is no capability.
    return [one for one in found if isinstance(one, APIRoute) and "DELETE" not in _names(one)]


def _names(route: APIRoute) -> list[str]:
    return sorted(route.methods or ())


def _resources(routes: Iterable[APIRoute]) -> list[_Resource]:
    methods: dict[str, list[_Method]] = {}
    for route in routes:
        path = route.path_format.lstrip("/")
        methods.setdefault(path, []).extend(_method(route, name) for name in _names(route))
    return [_Resource(path, methods[path]) for path in sorted(methods)]


def _method(route: APIRoute, name: str) -> _Method:
    if route in search_routes.router.routes:
        return _Method(name, route.name, _SEARCH_PARAMETERS, (), (DICOM_JSON,))
    if name == "POST":
        return _Method(name, route.name, (), (_IN_PARTS,), (DICOM_JSON,))
    word = [one for one in route.path_format.split("/") if not one.startswith("{")][-1]
    is_rendered = word in {"rendered", "thumbnail"}
    parameters = ("accept", *(_RENDERING_PARAMETERS if is_rendered else ()))
    return _Method(name, route.name, parameters, (), _REPRESENTATIONS[word])


def _template(path: str) -> list[str]:
    return [one[1:-1] for one in path.split("/") if one.startswith("{")]


def _as_json(base: str, resources: Sequence[_Resource]) -> dict[str, Any]:
    """Return the elements of the WADL as objects, their attributes as members."""
    return {
        "application": {
            "resources": {
                "base": base,
                "resource": [
                    {
                        "path": one.path,
                        "param": [
                            {"name": name, "style": "template", "required": True}
                            for name in _template(one.path)
                        ],
                        "method": [
                            {
                                "name": method.name,
                                "id": method.id,
                                "request": {
                                    "param": [
                                        {"name": name, "style": "query"}
                                        for name in method.parameters
                                    ],
                                    "representation": _media(method.request),
                                },
                                "response": {"representation": _media(method.response)},
                            }
                            for method in one.methods
                        ],
                    }
                    for one in resources
                ],
            }
        }
    }


def _media(types: Sequence[str]) -> list[dict[str, str]]:
    return [{"mediaType": one} for one in types]


def _as_wadl(base: str, resources: Sequence[_Resource]) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<application xmlns="{_NAMESPACE}">',
        f'<resources base="{escape(base)}">',
    ]
    for one in resources:
        lines.append(f'<resource path="{escape(one.path)}">')
        lines += [
            f'<param name="{name}" style="template" required="true"/>'
            for name in _template(one.path)
        ]
        for method in one.methods:
            lines += [f'<method name="{method.name}" id="{method.id}">', "<request>"]
            lines += [f'<param name="{name}" style="query"/>' for name in method.parameters]
            lines += _representations(method.request)
            lines += ["</request>", "<response>", *_representations(method.response)]
            lines += ["</response>", "</method>"]
        lines.append("</resource>")
    return "\n".join([*lines, "</resources>", "</application>", ""])


def _representations(types: Sequence[str]) -> list[str]:
    return [f'<representation mediaType="{escape(one)}"/>' for one in types]
