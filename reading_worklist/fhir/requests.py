"""What a request to the FHIR interface asks for, and the answers to what is not there."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from fastapi import Request

from reading_worklist.fhir.moments import parse_range
from reading_worklist.fhir.parameters import (
    COUNT_DEFAULT,
    PARAMETERS,
    no_such_type,
    parse_count,
)
from reading_worklist.fhir.refusals import bad_parameter, bad_value
from reading_worklist.fhir.store import Found, Store, Walk
from reading_worklist.problems import Problem
from storage.fhir.elements import MEDIA_TYPE

REPORT: Final = "DiagnosticReport"
Link = tuple[str, str, Sequence[tuple[str, str]]]
_JSON: Final = frozenset({"json", "application/json", "text/json", MEDIA_TYPE})
_ANY: Final = frozenset({"*/*", "application/*"})
_WALK: Final = ("_after", "_before", "_since", "_count")
_POSITION_DIGITS: Final = 18


def base_of(request: Request) -> str:
    """Return the address of the interface as who asks has reached it, for the links of the answer.

    Behind a proxy it is what that says (X-Forwarded-Proto, Host), where the server trusts it.
    """
    return f"{str(request.base_url).rstrip('/')}/fhir"


def require_json(request: Request, asked: Sequence[tuple[str, str]] | None = None) -> None:
    """Pass when JSON will do for who asks (R4 §3.1.0.1.9).

    asked: the parameters, where they are not in the address.

    Raises:
        Problem: 406 when only XML or the like will.
    """
    parameters = request.query_params.multi_items() if asked is None else asked
    wanted = next((value for name, value in parameters if name == "_format"), None)
    if wanted is None:
        accepted = request.headers.get("accept", "") or "*/*"
        kinds = {one.partition(";")[0].strip().lower() for one in accepted.split(",")}
        if kinds & (_JSON | _ANY) or "text/html" in kinds:
            return
    # A plus sign in an address is read as a space.
    elif wanted.partition(";")[0].strip().lower().replace(" ", "+") in _JSON:
        return
    raise Problem(
        HTTPStatus.NOT_ACCEPTABLE,
        "not-acceptable",
        "Resources are given as JSON only",
        expected=f"Accept: {MEDIA_TYPE}",
    )


def walk_of(asked: Sequence[tuple[str, str]], time_zone: str) -> Walk:
    """Return which stretch of the feed is asked for.

    Raises:
        Problem: 400 for what is not understood.
    """
    values: dict[str, str] = {}
    for name, value in asked:
        if name in _WALK:
            values[name] = value
        elif name not in {"_format", "_pretty"}:
            raise bad_parameter(name, ", ".join(_WALK))
    since = None
    if "_since" in values:
        # An instant, so that it has no prefix (R4 §3.1.0.9).
        prefix, since, _ = parse_range(values["_since"], time_zone, name="_since")
        if prefix != "eq" or values["_since"].startswith("eq"):
            raise bad_value("_since", "a time without a prefix")
    return Walk(
        count=max(1, parse_count(values["_count"])) if "_count" in values else COUNT_DEFAULT,
        after=position_of("_after", values["_after"]) if "_after" in values else None,
        before=position_of("_before", values["_before"]) if "_before" in values else None,
        since=since,
    )


def position_of(name: str, value: str) -> int:
    """Return a position of the feed.

    Raises:
        Problem: 400 when it is none.
    """
    if not (value.isascii() and value.isdigit()) or len(value) > _POSITION_DIGITS:
        raise bad_value(name, "a position of the feed, or 0 for its beginning")
    return int(value)


def links_of(
    request: Request, base: str, walk: Walk, found: Sequence[Found], *, more: bool
) -> list[Link]:
    """Return the links of a stretch: itself, the next, and with positions where to ask again."""
    address = f"{base}/{REPORT}/_history"
    asked = request.query_params.multi_items()
    links: list[Link] = [("self", address, asked)]
    kept = [(name, value) for name, value in asked if name in {"_count", "_since"}]
    if walk.after is not None:
        reached = str(found[-1].position if found else walk.after)
        onward = [("_after", reached), *kept]
        if more:
            links.append(("next", address, onward))
        links.append(("poll", address, onward))
    elif more:
        links.append(("next", address, [("_before", str(found[-1].position)), *kept]))
    return links


def standing(store: Store, kind: str, resource_id: str) -> Found:
    """Return a resource as it was told last.

    Raises:
        Problem: 404 when there is none of this site, 410 when no version tells it any more.
    """
    found = store.read(kind, id_of(kind, resource_id))
    if found is None:
        raise not_found(kind)
    told_by_version = kind in {REPORT, "Observation"}
    if found.resource is None or (told_by_version and not found.is_current):
        raise gone("A later version of the report does not tell this any more")
    return found


def every_version(store: Store, kind: str, resource_id: str) -> list[Found]:
    """Return the versions of a resource, the newest first; of most types there is one.

    Raises:
        Problem: 404 when there is none of this site.
    """
    found = (
        store.history(id_of(kind, resource_id))
        if kind == REPORT
        else [one for one in [store.read(kind, id_of(kind, resource_id))] if one]
    )
    found = [one for one in found if one.resource is not None]
    if not found:
        raise not_found(kind)
    return found


def id_of(kind: str, text: str) -> UUID:
    """Return the id of a resource of a type that is here.

    Raises:
        Problem: 404 for any other.
    """
    if kind not in PARAMETERS and kind != "Binary":
        raise no_such_type(kind)
    try:
        return UUID(text)
    except ValueError as error:
        raise not_found(kind) from error


def not_found(kind: str) -> Problem:
    """Return the answer for what does not exist or is another site's: it is the same."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"This {kind} does not exist",
        remedy="Search for it again; it may have been asked for with another site's token.",
    )


def gone(what: str) -> Problem:
    """Return the answer for what does not stand any more."""
    return Problem(
        HTTPStatus.GONE, "gone", what, remedy="Read the DiagnosticReport again; it has what stands."
    )
