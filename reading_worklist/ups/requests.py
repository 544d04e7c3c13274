"""What a UPS-RS request says: the search, and the dataset of a change."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import UUID

from reading_worklist.problems import Problem, not_found
from reading_worklist.ups.states import PRIORITIES, StepState
from storage.identifiers import InvalidIdentifier, Uid
from storage.orders.words import Priority

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
BODY_MAX: Final = 256 * 1024
_UUID_ROOT: Final = "2.25."
_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_MOMENT: Final = re.compile(r"([0-9]{8})(?:([0-9]{2})([0-9]{2})?([0-9]{2})?)?", re.ASCII)

# Keyword or tag of what is matched on; see CONFORMANCE.md.
_KEYS: Final = {
    "proceduresteppriority": "priority",
    "scheduledproceduresteppriority": "priority",
    "00741200": "priority",
    "procedurestepstate": "state",
    "00741000": "state",
    "worklistlabel": "label",
    "00741202": "label",
    "patientid": "patient_id",
    "00100020": "patient_id",
    "patientname": "patient_name",
    "00100010": "patient_name",
    "studyinstanceuid": "study",
    "0020000d": "study",
    "sopinstanceuid": "step",
    "00080018": "step",
    "scheduledprocedurestepstartdatetime": "start",
    "00404005": "start",
}
_SILENT: Final = frozenset({"accept", "fuzzymatching", "includefield"})


class UpsConflict(Problem):
    """A request that the state of the workitem does not allow.

    warning: what the standard says in the Warning header (PS3.18 §11.6 to §11.8).
    """

    def __init__(self, status: int, code: str, what: str, warning: str, remedy: str = "") -> None:
        self.warning = warning
        super().__init__(status, code, what, remedy=remedy)


@dataclass(frozen=True, slots=True)
class StepSearch:
    """What to look for; None is everything. ignored: parameters that are not matched on."""

    states: tuple[StepState, ...] = ()
    priorities: tuple[Priority, ...] = ()
    label: str | None = None
    patient_id: str | None = None
    patient_name: str | None = None
    study: str | None = None
    step: UUID | None = None
    start: tuple[datetime | None, datetime | None] = (None, None)
    limit: int = LIMIT_DEFAULT
    offset: int = 0
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a change of state asks for."""

    state: StepState
    transaction_uid: str


def workitem_id(uid: str) -> UUID:
    """Return the workitem that a SOP Instance UID names.

    Raises:
        Problem: 400 when it is no UID, 404 when it is none of ours.
    """
    try:
        number = str(Uid.parse(uid, what="Workitem UID")).removeprefix(_UUID_ROOT)
    except InvalidIdentifier as error:
        raise _bad("invalid-uid", "The workitem's UID is no UID", error.expected) from error
    if not uid.startswith(_UUID_ROOT) or not number.isdigit() or int(number) >> 128:
        raise not_found("The workitem")
    return UUID(int=int(number))


def parse_search(parameters: Iterable[tuple[str, str]]) -> StepSearch:
    """Parse the query parameters of a search (PS3.18 §11.9).

    Raises:
        Problem: 400 for a value that its attribute cannot have.
    """
    found: dict[str, Any] = {}
    ignored: list[str] = []
    for name, value in parameters:
        plain = name.lower()
        if plain in {"limit", "offset"}:
            if not _DIGITS.fullmatch(value):
                raise _bad("bad-parameter", f"'{plain}' is no number", "a number from 0 on")
            found[plain] = min(int(value), LIMIT_MAX) if plain == "limit" else int(value)
        elif (key := _KEYS.get(plain)) is None:
            if plain not in _SILENT:
                ignored.append(name)
        elif value:
            _put(found, key, value)
    return StepSearch(**found, ignored=tuple(ignored))


def parse_filter(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Parse the filter of a subscription (PS3.18 §11.10): what is matched on, as in a search.

    It stands in the parameter 'filter', as attribute=value with commas between, or as parameters of
    their own.

    Raises:
        Problem: 400 without one, for what is not matched on, and for the state, which changes with
            everything that is told.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in parameters:
        if name.lower() == "filter":
            for part in value.split(","):
                attribute, _, wanted = part.partition("=")
                pairs.append((attribute.strip(), wanted.strip()))
        elif name.lower() != "deletionlock":
            pairs.append((name, value))
    known = [(name, value) for name, value in pairs if name.lower() in _KEYS and value]
    if not known or len(known) < len(pairs):
        raise _bad("bad-filter", "The filter is not understood", "attributes that are matched on")
    if any(_KEYS[name.lower()] == "state" for name, _ in known):
        raise _bad("bad-filter", "A state changes: it is no filter", "attributes that stay")
    parse_search(known)
    return known


def parse_change(body: bytes) -> StateChange:
    """Parse the dataset of a change of state: Transaction UID and Procedure Step State.

    Raises:
        Problem: 400, with the standard's warning where the Transaction UID is missing.
    """
    dataset = _dataset(body)
    state = _first(dataset, "00741000")
    if state not in {StepState.IN_PROGRESS, StepState.COMPLETED, StepState.CANCELED}:
        raise _bad(
            "bad-state",
            "There is no such Procedure Step State to change to",
            "IN PROGRESS, COMPLETED or CANCELED in (0074,1000)",
        )
    transaction_uid = _first(dataset, "00081195")
    if not transaction_uid:
        raise UpsConflict(
            HTTPStatus.BAD_REQUEST,
            "transaction-uid-missing",
            "The request has no Transaction UID (0008,1195)",
            "The Transaction UID is missing.",
            remedy="Send the one under which you claim, or have claimed, the workitem.",
        )
    try:
        return StateChange(StepState(state), Uid.parse(transaction_uid, what="Transaction UID"))
    except InvalidIdentifier as error:
        raise _bad("invalid-uid", "The Transaction UID is no UID", error.expected) from error


def parse_update(body: bytes) -> None:
    """Pass when the body is a dataset.

    Raises:
        Problem: 400 when it is none, or would change the state.
    """
    if "00741000" in _dataset(body):
        raise _bad("bad-state", "The state is not changed by an update", "a change of state")


def _put(found: dict[str, Any], key: str, value: str) -> None:
    try:
        if key == "state":
            found["states"] = tuple(StepState(one) for one in re.split(r"[,\\]", value))
        elif key == "priority":
            words = {word: one for one, word in PRIORITIES.items()}
            found["priorities"] = tuple(words[one] for one in re.split(r"[,\\]", value))
        elif key == "step":
            found[key] = workitem_id(value)
        elif key == "start":
            found[key] = _range(value)
        elif key == "study":
            found[key] = str(Uid.parse(value))
        else:
            found[key] = value
    except (ValueError, KeyError, InvalidIdentifier) as error:
        raise _bad("bad-parameter", f"'{key}' cannot have this value", "a value it has") from error


def _range(value: str) -> tuple[datetime | None, datetime | None]:
    """Parse a single moment or a range of DT without an offset, which is taken to be UTC."""
    first, dash, last = value.partition("-")
    begins = _moment(first, end=False) if first else None
    ends = _moment(last if dash else first, end=True) if last or not dash else None
    return begins, ends


def _moment(text: str, *, end: bool) -> datetime:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, *parts = match.groups()
    filled = [
        part or ("23" if index == 0 else "59") * end or "00" for index, part in enumerate(parts)
    ]
    return datetime.strptime(day + "".join(filled), "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _dataset(body: bytes) -> dict[str, Any]:
    if len(body) > BODY_MAX:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The dataset is too large")
    try:
        parsed: object = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _bad("bad-dataset", "The body is no JSON", "DICOM JSON") from error
    if isinstance(parsed, list):
        items = cast("list[object]", parsed)
        parsed = items[0] if len(items) == 1 else None
    if not isinstance(parsed, dict):
        raise _bad("bad-dataset", "The body is not one dataset", "DICOM JSON of one dataset")
    return cast("dict[str, Any]", parsed)


def _first(dataset: dict[str, Any], tag: str) -> str | None:
    attribute = dataset.get(tag)
    values = cast("dict[str, Any]", attribute).get("Value") if isinstance(attribute, dict) else None
    if not isinstance(values, list) or not values:
        return None
    first = cast("list[object]", values)[0]
    return first if isinstance(first, str) else None


def _bad(code: str, what: str, expected: str) -> Problem:
    return Problem(
        HTTPStatus.BAD_REQUEST, code, what, expected=expected, remedy="Correct the request."
    )
