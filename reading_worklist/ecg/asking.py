"""Which ECG a request is about: one of the workitem's study, or of an earlier study beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from reading_worklist.access.scope import Scope
from reading_worklist.ecg import queries, service
from reading_worklist.ecg.measurement.errors import MarkersImpossible
from reading_worklist.ecg.queries import EcgInstance
from reading_worklist.ecg.service import StudyEcg
from reading_worklist.problems import Problem, not_found
from reading_worklist.services import Services
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.ecg.errors import EcgBroken, EcgError, EcgTooLarge, EcgUnsupported, NotAnEcg
from storage.ecg.waveform import EcgRecord
from storage.registry import Role

_CODES: Final[dict[type[EcgError], str]] = {
    NotAnEcg: "not-an-ecg",
    EcgBroken: "ecg-broken",
    EcgUnsupported: "ecg-unsupported",
    EcgTooLarge: "ecg-too-large",
    MarkersImpossible: "markers-impossible",
}


@dataclass(frozen=True, slots=True, eq=False)
class AskedEcg:
    """The ECG that a request names.

    others: every ECG of its study, by time of acquisition, itself among them.
    birth_date: of the patient, as the ECG's own site has it.
    """

    chosen: StudyEcg
    record: EcgRecord
    others: Sequence[StudyEcg]
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Which:
    """Which ECG of a workitem.

    instance: its SOP Instance UID; None is the study's first by time of acquisition.
    prior: the earlier study it is of, which the asker has opened at this reading; None is the
        workitem's own study.
    """

    instance: str | None = None
    prior: UUID | None = None


def which_ecg(
    instance: Annotated[str | None, Query(max_length=64, pattern=r"^[0-9.]+$")] = None,
    prior: UUID | None = None,
) -> Which:
    """Return which ECG a query names, see `Which`."""
    return Which(instance, prior)


WhichEcg = Annotated[Which, Depends(which_ecg)]


def find_ecg(
    services: Services, scope: Scope, workitem_id: UUID, which: Which | None = None
) -> AskedEcg:
    """Return an ECG of a workitem.

    Raises:
        Problem: 403 or 404 when it may not be seen or is not there, 422 when it cannot be read.
    """
    scope.require(*CENTRE_ROLES, Role.EXPERT)
    which = which or Which()
    prior, instance = which.prior, which.instance
    with services.database.transaction() as session:
        if prior is None:
            found = queries.waveforms_of_workitem(session, scope, workitem_id)
        else:
            found = queries.waveforms_of_prior(session, scope, workitem_id, prior)
        birth_date = queries.birth_date(session, workitem_id, prior)
    # The transaction is over: objects are read from here on.
    try:
        others = service.list_ecgs(services.objects, found, ZoneInfo(services.config.time_zone))
        if instance is None:
            chosen, record = service.first_ecg(services.objects, others)
        else:
            wanted = _named(found, instance)
            record = service.load_record(services.objects, wanted.object_key)
            chosen = next(ecg for ecg in others if ecg.instance == wanted)
    except EcgError as error:
        raise ecg_problem(error) from error
    return AskedEcg(chosen, record, others, birth_date)


def _named(instances: Sequence[EcgInstance], sop_instance_uid: str) -> EcgInstance:
    for one in instances:
        if one.sop_instance_uid == sop_instance_uid:
            return one
    raise not_found("The ECG")


def ecg_problem(error: EcgError) -> Problem:
    """Return what is wrong with an ECG, or with what was asked of it, as an HTTP answer."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _CODES.get(type(error), "ecg-not-readable"),
        error.what,
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
    )
