"""ECG files as the people of a site, its machines and the centre see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.ecg_files.schemas import (
    EcgFilePage,
    EcgFileProblem,
    EcgFileSummary,
    EcgFileView,
)
from reading_worklist.problems import not_found
from reading_worklist.workitems.tables import Workitem
from storage.ecg_files.tables import EcgFile, EcgFileState
from storage.index.tables import Instance, Series, Study
from storage.objects import ObjectKey
from storage.registry import Machine, Organisation

PAGE_SIZE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Original:
    """Where an original lies and what it is called when it is given back."""

    key: ObjectKey
    size: int
    media_type: str
    name: str


def sees(who: Scope | Machine) -> ColumnElement[bool]:
    """Return the SQL condition that a file's site is visible: to a machine its own alone."""
    if isinstance(who, Scope):
        return who.sees(EcgFile.site_id)
    return EcgFile.site_id == who.site_id


def one(session: Session, who: Scope | Machine, file_id: UUID) -> EcgFileView:
    """Return one file.

    Raises:
        Problem: 404 when it does not exist or is not visible.
    """
    row = session.execute(_query().where(EcgFile.id == file_id, sees(who))).one_or_none()
    if row is None:
        raise not_found("The ECG file")
    return _view(row)


def listed(
    session: Session,
    scope: Scope,
    states: Sequence[EcgFileState],
    *,
    page: int,
    page_size: int,
) -> EcgFilePage:
    """Return a page of the visible files, newest first; all states unless some are named."""
    query = _query().where(sees(scope))
    if states:
        query = query.where(EcgFile.state.in_(states))
    rows = session.execute(
        query.order_by(EcgFile.received_at.desc(), EcgFile.id)
        .limit(page_size + 1)
        .offset((page - 1) * page_size)
    ).all()
    waiting = session.scalar(
        select(func.count())
        .select_from(EcgFile)
        .where(sees(scope), EcgFile.state == EcgFileState.NEEDS_PATIENT)
    )
    return EcgFilePage(
        items=[_view(row) for row in rows[:page_size]],
        waiting=waiting or 0,
        more=len(rows) > page_size,
    )


def original(session: Session, scope: Scope, file_id: UUID) -> Original:
    """Return the original of a file.

    Raises:
        Problem: 404 when it is not there, not kept, or not visible.
    """
    row = session.scalar(select(EcgFile).where(EcgFile.id == file_id, sees(scope)))
    if row is None or row.state is EcgFileState.REFUSED or row.purged_at is not None:
        raise not_found("The original file")
    media_type = "application/octet-stream" if row.format is None else row.format.media_type
    suffix = "" if row.format is None else row.format.suffix
    # Not the sender's name: it may be the patient's, and browsers note it in their history.
    return Original(ObjectKey(row.object_key), row.size, media_type, f"ecg-{row.id}{suffix}")


def of_instance(session: Session, scope: Scope, sop_instance_uid: str) -> UUID | None:
    """Return the id of the file of which an instance was made; None where none of it is kept."""
    return session.scalar(
        select(EcgFile.id)
        .where(
            EcgFile.sop_instance_uid == sop_instance_uid,
            EcgFile.purged_at.is_(None),
            sees(scope),
        )
        .limit(1)
    )


def dicom_address(session: Session, scope: Scope, sop_instance_uid: str) -> str:
    """Return the path at which an ECG instance is retrieved in one part (PS3.18 §9, WADO-URI).

    Raises:
        Problem: 404 when there is none, or it is not visible.
    """
    found = session.execute(
        select(Study.study_instance_uid, Series.series_instance_uid)
        .join(Series, Series.study_id == Study.id)
        .join(Instance, Instance.series_id == Series.id)
        .where(Instance.sop_instance_uid == sop_instance_uid, scope.sees(Instance.site_id))
        .limit(1)
    ).one_or_none()
    if found is None:
        raise not_found("The ECG")
    study, series = found
    query = {
        "requestType": "WADO",
        "studyUID": study,
        "seriesUID": series,
        "objectUID": sop_instance_uid,
        "contentType": "application/dicom",
    }
    return f"/dicom-web/wado?{urlencode(query)}"


def instance_key(session: Session, scope: Scope, sop_instance_uid: str) -> ObjectKey:
    """Return where the bytes of an ECG instance lie.

    Raises:
        Problem: 404 when there is none, or it is not visible.
    """
    found = session.scalar(
        select(Instance.object_key)
        .where(Instance.sop_instance_uid == sop_instance_uid, scope.sees(Instance.site_id))
        .limit(1)
    )
    if found is None:
        raise not_found("The ECG")
    return ObjectKey(found)


def _query() -> Select[*tuple[Any, ...]]:
    return (
        select(EcgFile, Organisation.code, Workitem.id.label("workitem_id"))
        .join(Organisation, Organisation.id == EcgFile.site_id)
        .outerjoin(
            Study,
            (Study.site_id == EcgFile.site_id)
            & (Study.study_instance_uid == EcgFile.study_instance_uid),
        )
        .outerjoin(Workitem, Workitem.study_id == Study.id)
    )


def _view(row: Row[*tuple[Any, ...]]) -> EcgFileView:
    file: EcgFile = row[0]
    return EcgFileView(
        id=file.id,
        site=row.code,
        state=file.state,
        format=file.format,
        file_name=file.file_name,
        way=file.way,
        size=file.size,
        sha256=file.sha256,
        received_at=file.received_at,
        settled_at=file.settled_at,
        problem=None if file.problem is None else EcgFileProblem.model_validate(file.problem),
        summary=None if file.summary is None else EcgFileSummary.model_validate(file.summary),
        study_instance_uid=file.study_instance_uid,
        sop_instance_uid=file.sop_instance_uid,
        workitem_id=row.workitem_id,
    )
