"""Search parameters of R4 (§3.1.1.4) as conditions on what was issued.

What is not known is refused: software that asks for one patient and gets every patient, because we
have not understood it, is harm.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from reading_worklist.fhir.moments import parse_range
from reading_worklist.fhir.refusals import bad_parameter, bad_value
from reading_worklist.problems import Problem

COUNT_DEFAULT: Final = 20
COUNT_MAX: Final = 100
_CONTROL: Final = frozenset({"_format", "_pretty"})
_CURSOR: Final = re.compile(r"(\d{1,18})\.([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One of some identifiers or codes, each as `IssuedFeedEntry.terms` writes it.

    own: of the resource itself; else of one that its report is told with.
    """

    terms: tuple[str, ...]
    own: bool


@dataclass(frozen=True, slots=True)
class References:
    """A reference to one of some resources; column: of `IssuedFeedEntry`."""

    column: str
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words in a column of `IssuedFeedEntry`."""

    column: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A time in a column of `IssuedFeedEntry`: from, and before. None: without end.

    outside: not between them.
    """

    column: str
    begins: datetime | None
    ends: datetime | None
    outside: bool = False


@dataclass(frozen=True, slots=True)
class OwnIds:
    """One of some resources by their own ids."""

    ids: tuple[UUID, ...]


Condition = Tokens | References | Words | Between | OwnIds


@dataclass(frozen=True, slots=True)
class Cursor:
    """After which resource a page begins."""

    position: int
    resource_id: UUID

    def __str__(self) -> str:
        return f"{self.position}.{self.resource_id.hex}"


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for.

    asked: the parameters as they came, for the links. include: types of resources that are wanted
    beside the matches. newest_first: the order; by default what was told first comes first, which
    is the order in which nothing is missed. counts_only: no resources, only how many. counts_all:
    how many, be they ever so many.
    """

    kind: str
    conditions: tuple[Condition, ...] = ()
    include: frozenset[str] = frozenset()
    count: int = COUNT_DEFAULT
    cursor: Cursor | None = None
    newest_first: bool = False
    counts_only: bool = False
    counts_all: bool = False
    asked: tuple[tuple[str, str], ...] = ()


# Parameter → (way, what): see `_condition`.
_ANY: Final[Mapping[str, tuple[str, str]]] = {"_id": ("id", ""), "_lastUpdated": ("date", "at")}
_OF_PATIENT: Final[Mapping[str, tuple[str, str]]] = {
    "patient": ("reference", "patient_id:Patient"),
    "subject": ("reference", "patient_id:Patient"),
    "patient.identifier": ("token", "Patient.identifier"),
    "subject.identifier": ("token", "Patient.identifier"),
    "patient:identifier": ("token", "Patient.identifier"),
    "subject:identifier": ("token", "Patient.identifier"),
}
_OF_ORDER: Final[Mapping[str, tuple[str, str]]] = {
    "based-on": ("reference", "order_id:ServiceRequest"),
    "based-on.identifier": ("token", "ServiceRequest.identifier"),
    "based-on:identifier": ("token", "ServiceRequest.identifier"),
}
PARAMETERS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "DiagnosticReport": {
        **_ANY,
        **_OF_PATIENT,
        **_OF_ORDER,
        "identifier": ("own", "DiagnosticReport.identifier"),
        "code": ("own", "DiagnosticReport.code"),
        "category": ("own", "DiagnosticReport.category"),
        "status": ("word", "status"),
        "date": ("date", "performed_at"),
        "issued": ("date", "issued_at"),
        "imaging-study": ("reference", "study_id:ImagingStudy"),
        "imaging-study.identifier": ("token", "ImagingStudy.identifier"),
    },
    "ImagingStudy": {
        **_ANY,
        **_OF_PATIENT,
        "identifier": ("own", "ImagingStudy.identifier"),
        "modality": ("own", "ImagingStudy.modality"),
        "started": ("date", "performed_at"),
        "basedon": ("reference", "order_id:ServiceRequest"),
    },
    "Observation": {
        **_ANY,
        **_OF_PATIENT,
        **_OF_ORDER,
        "identifier": ("own", "Observation.identifier"),
        "code": ("own", "Observation.code"),
        "category": ("own", "Observation.category"),
        "status": ("own", "Observation.status"),
        "date": ("date", "performed_at"),
        "derived-from": ("reference", "study_id:ImagingStudy"),
    },
    "Patient": {**_ANY, "identifier": ("own", "Patient.identifier")},
    "Practitioner": {**_ANY, "identifier": ("own", "Practitioner.identifier")},
    "PractitionerRole": {**_ANY, "identifier": ("own", "PractitionerRole.identifier")},
    "Organization": {**_ANY, "identifier": ("own", "Organization.identifier")},
    "ServiceRequest": {
        **_ANY,
        **_OF_PATIENT,
        "identifier": ("own", "ServiceRequest.identifier"),
    },
    "DocumentReference": {
        **_ANY,
        **_OF_PATIENT,
        "identifier": ("own", "DocumentReference.identifier"),
        "date": ("date", "issued_at"),
    },
    "Provenance": {**_ANY, "recorded": ("date", "issued_at")},
}
"""What can be searched by what. `token` and `own`: a token of another resource, or of its own."""

TYPES: Final = {
    "token": "token",
    "own": "token",
    "word": "token",
    "id": "token",
    "reference": "reference",
    "date": "date",
}
"""Way → FHIR's type of a search parameter."""

_PERSONS: Final = {"patient": "Patient", "subject": "Patient"}
INCLUDES: Final[Mapping[str, Mapping[str, str]]] = {
    "DiagnosticReport": {
        **_PERSONS,
        "based-on": "ServiceRequest",
        "result": "Observation",
        "performer": "Organization",
        "results-interpreter": "Practitioner",
        "imaging-study": "ImagingStudy",
    },
    "ImagingStudy": {**_PERSONS, "basedon": "ServiceRequest"},
    "Observation": {
        **_PERSONS,
        "based-on": "ServiceRequest",
        "performer": "Organization",
        "derived-from": "ImagingStudy",
    },
    "Patient": {"organization": "Organization"},
    "PractitionerRole": {"practitioner": "Practitioner", "organization": "Organization"},
    "ServiceRequest": dict(_PERSONS),
    "DocumentReference": {
        **_PERSONS,
        "author": "Practitioner",
        "authenticator": "Practitioner",
        "custodian": "Organization",
    },
}
"""What can be included beside what."""


def parse_search(kind: str, asked: Sequence[tuple[str, str]], *, time_zone: str) -> Search:
    """Return what a search asks for. time_zone: of dates and times that have none.

    Raises:
        Problem: 400 for a parameter that is not known, or a value that it cannot have; 404 for a
            type that is not searched.
    """
    known = PARAMETERS.get(kind)
    if known is None:
        raise no_such_type(kind)
    conditions: list[Condition] = []
    include: set[str] = set()
    settings: dict[str, object] = {}
    for name, value in asked:
        if name in _CONTROL or not value:
            continue
        if name in known:
            conditions.append(_condition(name, *known[name], value, time_zone))
        elif name in {"_include", "_include:iterate"}:
            include |= _included(kind, value)
        elif name in _SETTINGS:
            settings |= _SETTINGS[name](name, value)
        else:
            raise bad_parameter(name, ", ".join(sorted({*known, *_SETTINGS, "_include"})))
    return Search(
        kind,
        tuple(conditions),
        include=frozenset(include),
        asked=tuple(asked),
        **settings,  # pyright: ignore[reportArgumentType] -- each by the name of its field
    )


def parse_count(value: str, name: str = "_count") -> int:
    """Return how many are wanted, at most `COUNT_MAX`.

    Raises:
        Problem: 400 when it is no number.
    """
    if not value.isascii() or not value.isdigit() or len(value) > len("999999999"):
        raise bad_value(name, "a number from 0 on")
    return min(int(value), COUNT_MAX)


def no_such_type(kind: str) -> Problem:
    """Return the answer for a type of resource that is not here."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "not-found",
        f"There are no resources of the type {kind[:40]!r} here",
        expected=", ".join(PARAMETERS),
    )


def _condition(name: str, way: str, what: str, value: str, time_zone: str) -> Condition:
    values = [one for one in value.split(",") if one]
    match way:
        case "id":
            return OwnIds(tuple(_uuids(values)))
        case "reference":
            column, _, kind = what.partition(":")
            return References(
                column, tuple(_uuids(one.rsplit("/", 1)[-1] for one in values if _is_of(kind, one)))
            )
        case "word":
            # The system of a required code says nothing more.
            return Words(what, tuple(one.rpartition("|")[2] for one in values))
        case "date":
            return _between(name, what, value, time_zone)
        case _:
            return Tokens(tuple(f"{what}={_token(one)}" for one in values), own=way == "own")


def _uuids(values: Iterable[str]) -> list[UUID]:
    """Return the ids that could be ours; of another form there is none."""
    found: list[UUID] = []
    for one in values:
        try:
            found.append(UUID(one))
        except ValueError:
            continue
    return found


def _is_of(kind: str, value: str) -> bool:
    """Tell whether a reference may be to this type: a bare id, relative, or an address."""
    parts = value.split("/")
    return len(parts) == 1 or parts[-2] == kind


def _token(value: str) -> str:
    """Return a token as `terms` has it: `system|` before the code only where there is a system."""
    system, bar, code = value.partition("|")
    if not bar:
        return value
    # "|code" asks for one without a system, which none of ours is.
    return f"{system}|{code}"


def _between(name: str, column: str, value: str, time_zone: str) -> Between:
    prefix, begins, ends = parse_range(value, time_zone, name=name)
    match prefix:
        case "gt" | "sa":
            # A clock that counts seconds would else miss what followed within one of them.
            whole = ends - begins <= timedelta(seconds=1) and column == "at"
            after = begins + timedelta(milliseconds=1) if whole else ends
            return Between(column, after, None)
        case "ge":
            return Between(column, begins, None)
        case "lt" | "eb":
            return Between(column, None, begins)
        case "le":
            return Between(column, None, ends)
        case _:
            return Between(column, begins, ends, outside=prefix == "ne")


def _included(kind: str, value: str) -> set[str]:
    known = INCLUDES.get(kind, {})
    if value in {"*", f"{kind}:*"}:
        return set(known.values())
    parts = value.split(":")
    # A third part names the type of what is referred to, where there are several.
    if len(parts) not in {2, 3} or parts[0] != kind or parts[1] not in known:
        raise bad_value("_include", ", ".join(f"{kind}:{one}" for one in known) or "none")
    return {known[parts[1]]}


def _count(name: str, value: str) -> dict[str, object]:
    count = parse_count(value, name)
    return {"count": count} if count else {"counts_only": True}


def _sort(name: str, value: str) -> dict[str, object]:
    if value not in {"_lastUpdated", "-_lastUpdated"}:
        raise bad_value(name, "_lastUpdated or -_lastUpdated")
    return {"newest_first": value.startswith("-")}


def _summary(name: str, value: str) -> dict[str, object]:
    if value not in {"count", "false"}:
        raise bad_value(name, "count or false")
    return {"counts_only": True} if value == "count" else {}


def _cursor(name: str, value: str) -> dict[str, object]:
    found = _CURSOR.fullmatch(value)
    if found is None:
        raise bad_value(name, "what a link of ours has")
    return {"cursor": Cursor(int(found[1]), UUID(hex=found[2]))}


def _total(name: str, value: str) -> dict[str, object]:
    if value not in {"none", "estimate", "accurate"}:
        raise bad_value(name, "none, estimate or accurate")
    return {"counts_all": value == "accurate"}


_SETTINGS: Final = {
    "_count": _count,
    "_sort": _sort,
    "_summary": _summary,
    "_cursor": _cursor,
    "_total": _total,
}
