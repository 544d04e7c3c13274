"""Modality Performed Procedure Step as SCP (PS3.4 Annex F): N-CREATE and N-SET."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast
from uuid import uuid4

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pacs_gateway.associations.commands import CommandField
from pacs_gateway.associations.status import SUCCESS, Answer, Status
from pacs_gateway.services.datasets import UnreadableDataset, decode
from pacs_gateway.services.operations import Call, Operation
from storage.audit import Actor
from storage.database import Database
from storage.identifiers import InvalidIdentifier, Uid
from storage.orders import performed
from storage.orders.performed import (
    NewPerformedStep,
    NoSuchPerformedStep,
    PerformedStepExists,
    PerformedStepFinal,
)
from storage.orders.states import PerformedState

MODALITY_PERFORMED_PROCEDURE_STEP: Final = "1.2.840.10008.3.1.2.3.3"
_SOP_CLASSES: Final = frozenset({MODALITY_PERFORMED_PROCEDURE_STEP})
# PS3.4 F.7.2.2.2: "Performed Procedure Step Object may no longer be updated".
_NO_LONGER_UPDATED: Final = 0xA710
_STATUS: Final = "PerformedProcedureStepStatus"
_SERIES: Final = "PerformedSeriesSequence"
_SCHEDULED: Final = "ScheduledStepAttributesSequence"
_LISTS: Final = (
    "ReferencedImageSequence",
    "ReferencedNonImageCompositeSOPInstanceSequence",
)

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """The attribute list cannot be taken."""

    def __init__(self, status: Status, comment: str, keyword: str = "") -> None:
        super().__init__(comment)
        tag = tag_for_keyword(keyword) if keyword else None
        self.answer = Answer(status, comment, offending_tag=int(tag) if tag else None)


def operations(database: Database) -> tuple[Operation, ...]:
    """Return the services that note in `database` what devices perform."""
    service = _PerformedSteps(database)
    return (
        Operation(CommandField.N_CREATE_RQ, _SOP_CLASSES, service.create),
        Operation(CommandField.N_SET_RQ, _SOP_CLASSES, service.set),
    )


class _PerformedSteps:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, call: Call) -> Answer:
        """Serve an N-CREATE (PS3.4 F.7.2.1)."""
        try:
            new = _new(call)
            with self._database.transaction() as session:
                performed.begin(session, _actor(call), new)
        except _Refused as refused:
            return refused.answer
        except PerformedStepExists as error:
            return Answer(Status.DUPLICATE_SOP_INSTANCE, error.what)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            return _unavailable(error)
        return Answer(Status.SUCCESS, sop_instance_uid=new.sop_instance_uid)

    def set(self, call: Call) -> Answer:
        """Serve an N-SET (PS3.4 F.7.2.2)."""
        try:
            dataset = _read(call)
            with self._database.transaction() as session:
                performed.update(
                    session,
                    _actor(call),
                    site_id=call.caller.site_id,
                    sop_instance_uid=_uid(call.command.sop_instance_uid),
                    state=_state(dataset, PerformedState.IN_PROGRESS),
                    instance_uids=_listed(dataset),
                    dataset=call.dataset,
                    transfer_syntax_uid=call.exchange.context.transfer_syntax,
                )
        except _Refused as refused:
            return refused.answer
        except NoSuchPerformedStep as error:
            return Answer(Status.NO_SUCH_SOP_INSTANCE, error.what)
        except PerformedStepFinal as error:
            return Answer(Status.PROCESSING_FAILURE, error.what, error_id=_NO_LONGER_UPDATED)
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            return _unavailable(error)
        return SUCCESS


def _new(call: Call) -> NewPerformedStep:
    dataset = _read(call)
    state = _state(dataset, None)
    if state is not PerformedState.IN_PROGRESS:
        raise _Refused(Status.INVALID_ATTRIBUTE_VALUE, "a step begins IN PROGRESS", keyword=_STATUS)
    items = _items(dataset, _SCHEDULED)
    if not items:
        raise _Refused(
            Status.MISSING_ATTRIBUTE, "no Scheduled Step Attributes Sequence", keyword=_SCHEDULED
        )
    modality = _text(dataset, "Modality")
    if not modality:
        raise _Refused(Status.MISSING_ATTRIBUTE, "no Modality", keyword="Modality")
    try:
        study = Uid.parse(_text(items[0], "StudyInstanceUID"), what="Study Instance UID")
    except InvalidIdentifier as error:
        raise _Refused(
            Status.INVALID_ATTRIBUTE_VALUE, error.what, keyword="StudyInstanceUID"
        ) from error
    device_id = call.caller.device_id
    if device_id is None:
        raise _Refused(Status.NOT_AUTHORIZED, "only a registered device performs steps")
    named = call.command.sop_instance_uid
    return NewPerformedStep(
        site_id=call.caller.site_id,
        device_id=device_id,
        # PS3.7 §10.1.5.1.4: without one in the request the SCP assigns it.
        sop_instance_uid=_uid(named) if named else Uid.from_uuid(uuid4()),
        study_instance_uid=study,
        accession_number=_text(items[0], "AccessionNumber") or None,
        requested_procedure_id=_text(items[0], "RequestedProcedureID") or None,
        step_ids=[
            step_id for item in items if (step_id := _text(item, "ScheduledProcedureStepID"))
        ],
        modality=modality,
        station_ae_title=_text(dataset, "PerformedStationAETitle") or call.caller.calling_ae_title,
        dataset=call.dataset,
        transfer_syntax_uid=call.exchange.context.transfer_syntax,
    )


def _read(call: Call) -> Dataset:
    try:
        return decode(call.dataset, call.exchange.context.transfer_syntax)
    except UnreadableDataset as error:
        raise _Refused(
            Status.INVALID_ATTRIBUTE_VALUE, "the attribute list cannot be read"
        ) from error


def _state(dataset: Dataset, otherwise: PerformedState | None) -> PerformedState:
    """Return the status that a list sets; `otherwise` where it sets none."""
    text = _text(dataset, _STATUS)
    if not text:
        if otherwise is None:
            raise _Refused(Status.MISSING_ATTRIBUTE, "no status", keyword=_STATUS)
        return otherwise
    try:
        return PerformedState(text)
    except ValueError as error:
        raise _Refused(
            Status.INVALID_ATTRIBUTE_VALUE,
            "status is not IN PROGRESS, COMPLETED, DISCONTINUED",
            keyword=_STATUS,
        ) from error


def _listed(dataset: Dataset) -> list[str] | None:
    """Return the instances of all performed series; None when the list names no series."""
    if _SERIES not in dataset:
        return None
    return list(_referenced(dataset))


def _referenced(dataset: Dataset) -> Iterator[str]:
    for series in _items(dataset, _SERIES):
        for keyword in _LISTS:
            for item in _items(series, keyword):
                yield _uid(_text(item, "ReferencedSOPInstanceUID"), "ReferencedSOPInstanceUID")


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    return cast("Sequence[Dataset]", cast("Any", dataset).get(keyword) or ())


def _text(dataset: Dataset, keyword: str) -> str:
    value = cast("Any", dataset).get(keyword)
    return "" if value is None else str(value).strip()


def _uid(text: str, keyword: str = "") -> Uid:
    try:
        return Uid.parse(text)
    except InvalidIdentifier as error:
        raise _Refused(
            Status.INVALID_ATTRIBUTE_VALUE, "SOP Instance UID is not a UID", keyword=keyword
        ) from error


def _actor(call: Call) -> Actor:
    return Actor(
        person_id=None,
        organisation_id=call.caller.site_id,
        client=call.caller.calling_ae_title,
    )


def _unavailable(error: Exception) -> Answer:
    _log.error("steps cannot be noted", extra={"error": type(error).__name__})
    return Answer(Status.PROCESSING_FAILURE, "cannot be noted now, send again later")
