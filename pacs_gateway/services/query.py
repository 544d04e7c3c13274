"""C-FIND as SCP (PS3.4 Annex C): a device asks what the centre keeps of its own site."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, Final

from pydicom import config as pydicom_config
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pacs_gateway.associations.commands import CommandField
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.services.datasets import UnreadableDataset, encode
from pacs_gateway.services.identifiers import Identifier, read_identifier
from pacs_gateway.services.operations import Call, Operation
from storage.character_sets import character_set_for
from storage.database import Database
from storage.index.search import (
    ATTRIBUTES,
    UNIQUE_KEYS,
    InvalidKey,
    Key,
    Level,
    Match,
    Options,
    Search,
    prepare,
    run,
)

PATIENT_ROOT: Final = "1.2.840.10008.5.1.4.1.2.1.1"
STUDY_ROOT: Final = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_STUDY_ONLY: Final = "1.2.840.10008.5.1.4.1.2.3.1"
LEVELS: Final[Mapping[str, Mapping[str, Level]]] = {
    PATIENT_ROOT: {
        "PATIENT": Level.PATIENT,
        "STUDY": Level.STUDY,
        "SERIES": Level.SERIES,
        "IMAGE": Level.INSTANCE,
    },
    STUDY_ROOT: {"STUDY": Level.STUDY, "SERIES": Level.SERIES, "IMAGE": Level.INSTANCE},
    PATIENT_STUDY_ONLY: {"PATIENT": Level.PATIENT, "STUDY": Level.STUDY},
}
"""The values of Query/Retrieve Level (0008,0052) under each information model."""

_LEVEL: Final = "QueryRetrieveLevel"
# They say how the identifier is meant, and are not matched on.
_ABOUT: Final = frozenset({_LEVEL, "QueryRetrieveView", "RetrieveAETitle"})
_SINGLE: Final = frozenset("*?\\,")
_INTEGERS: Final = frozenset({"US", "IS"})

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """A request that is answered with `answer` instead of matches."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.comment)
        self.answer = answer


def operations(database: Database, *, ae_title: str, results_max: int) -> tuple[Operation, ...]:
    """Return the C-FIND services over the index in `database`.

    ae_title: Retrieve AE Title (0008,0054) of every match.
    results_max: matches given to one request; when there are more, its final answer is A700H.
    """
    finder = _Finder(database, ae_title, results_max)
    return (Operation(CommandField.C_FIND_RQ, frozenset(LEVELS), finder.serve),)


class _Finder:
    def __init__(self, database: Database, ae_title: str, results_max: int) -> None:
        self._database = database
        self._ae_title = ae_title
        self._results_max = results_max

    def serve(self, call: Call) -> Answer:
        """Answer one request: a pending response for each match, then how it ended."""
        context = call.exchange.context
        try:
            identifier = _identifier(call)
            name, level = _level(identifier, context.abstract_syntax)
            _require_keys_above(identifier, level, context.abstract_syntax)
            search = _search(identifier, level)
            matches, more = self._matches(call, search, identifier)
        except _Refused as refused:
            return refused.answer
        pending = (
            Status.PENDING_WITHOUT_OPTIONAL_KEYS
            if search.unsupported or _unknown(identifier, level)
            else Status.PENDING
        )
        for match in matches:
            if call.exchange.cancelled():
                return Answer(Status.CANCEL)
            response = self._response(match, name, identifier)
            call.exchange.respond(
                Answer(pending, dataset=encode(response, context.transfer_syntax))
            )
        if more:
            return Answer(
                Status.OUT_OF_RESOURCES, f"more than {self._results_max} matches, narrow the query"
            )
        return SUCCESS

    def _matches(
        self, call: Call, search: Search, identifier: Identifier
    ) -> tuple[Sequence[Match], bool]:
        site_id = call.caller.site_id
        try:
            with self._database.transaction() as session:
                page = run(
                    session,
                    search,
                    sees=lambda column: column == site_id,
                    returned=identifier.values,
                    limit=self._results_max,
                    count=False,
                )
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            _log.error("the index cannot be asked", extra={"error": type(error).__name__})
            raise _Refused(
                Answer(Status.OUT_OF_RESOURCES, "the index cannot be asked now, ask again later")
            ) from error
        return page.matches, page.more

    def _response(self, match: Match, level: str, identifier: Identifier) -> Dataset:
        """Return the identifier of one match (PS3.4 §C.4.1.1.3.2)."""
        response = Dataset()
        text: list[str] = []
        for keyword, value in match.values.items():
            attribute = ATTRIBUTES[keyword]
            told = _told(value)
            text += told
            number = attribute.vr in _INTEGERS and told
            _add(response, keyword, attribute.vr, [int(one) for one in told] if number else told)
        _add(response, _LEVEL, "CS", [level])
        _add(response, "RetrieveAETitle", "AE", [self._ae_title])
        character_set = character_set_for(text, identifier.character_set)
        if character_set is not None:
            _add(response, "SpecificCharacterSet", "CS", [character_set])
        return response


def _identifier(call: Call) -> Identifier:
    try:
        return read_identifier(call.dataset, call.exchange.context.transfer_syntax)
    except UnreadableDataset as error:
        raise _Refused(Answer(Status.CANNOT_UNDERSTAND, "the identifier cannot be read")) from error


def _level(identifier: Identifier, abstract_syntax: str) -> tuple[str, Level]:
    levels = LEVELS[abstract_syntax]
    name = identifier.values.get(_LEVEL, "").strip()
    if name not in levels:
        raise _mismatch(_LEVEL, f"(0008,0052) has to be one of {', '.join(levels)}")
    return name, levels[name]


def _require_keys_above(identifier: Identifier, level: Level, abstract_syntax: str) -> None:
    """Pass when the unique keys of the levels above are single values (PS3.4 §C.4.1.2.1).

    Relational queries are not negotiated, so every request has to go down the hierarchy.
    """
    for above in LEVELS[abstract_syntax].values():
        keyword = UNIQUE_KEYS[above]
        if above < level and not _is_single(identifier.values.get(keyword, "")):
            raise _mismatch(keyword, f"{keyword} has to be a single value at this level")


def _is_single(value: str) -> bool:
    return bool(value) and not _SINGLE & set(value)


def _search(identifier: Identifier, level: Level) -> Search:
    keys = [
        Key(keyword, value) for keyword, value in identifier.values.items() if keyword not in _ABOUT
    ]
    try:
        return prepare(keys, level, Options())
    except InvalidKey as error:
        raise _Refused(
            Answer(
                Status.CANNOT_UNDERSTAND,
                f"expected {error.expected}",
                offending_tag=tag_for_keyword(error.keyword),
            )
        ) from error


def _unknown(identifier: Identifier, level: Level) -> bool:
    """Tell whether a key is not even known to exist at this level (PS3.4 §C.2.2.1.3)."""
    return bool(identifier.others) or any(
        keyword not in ATTRIBUTES or ATTRIBUTES[keyword].level > level
        for keyword in identifier.values
        if keyword not in _ABOUT
    )


def _mismatch(keyword: str, comment: str) -> _Refused:
    return _Refused(
        Answer(
            Status.DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            comment,
            offending_tag=tag_for_keyword(keyword),
        )
    )


def _told(value: Any) -> list[str]:  # noqa: ANN401 -- as `Match` has them
    return list(_strings(value))


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 -- as `Match` has them
    if isinstance(value, list):
        for one in value:  # pyright: ignore[reportUnknownVariableType] -- of str
            yield from _strings(one)
    elif isinstance(value, date):
        yield value.isoformat().replace("-", "")
    elif isinstance(value, time):
        yield value.isoformat().replace(":", "")
    elif value is not None and value != "":
        yield str(value)


def _add(dataset: Dataset, keyword: str, vr: str, values: list[Any]) -> None:
    """Add an element as it is: what a device once wrote is told even where it breaks its VR."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    value = values[0] if len(values) == 1 else values
    dataset.add(DataElement(tag, vr, value, validation_mode=pydicom_config.IGNORE))
