"""One quarantined instance with everything a decision needs."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.quarantine.comparison import (
    Version,
    differences,
    pair_of,
    same_pixels,
    version_of_entry,
)
from reading_worklist.quarantine.schemas import (
    DecisionView,
    DifferenceView,
    QuarantineDetail,
    VersionView,
)
from reading_worklist.quarantine.service import allowed_actions, visible
from reading_worklist.quarantine.tables import QuarantineAction, QuarantineDecision
from storage.database import Database
from storage.dicom_header import DatasetError, read_header
from storage.index.tables import Instance, Series, Study
from storage.objects import ObjectKey, ObjectNotFound, ObjectStore
from storage.person_name import display_name, latin_name
from storage.registry import Device, Organisation, Person


def detail(
    database: Database, objects: ObjectStore, scope: Scope, entry_id: UUID
) -> QuarantineDetail:
    """Return an entry with both versions compared.

    Raises:
        Problem: 404 when it is not visible.
        ObjectStoreUnavailable: the object store does not answer.
    """
    with database.transaction() as session:
        entry = visible(session, scope, entry_id)
        pair = pair_of(session, entry)
        site = session.get_one(Organisation, entry.site_id)
        path = None if pair.filed is None else _rendered_path(session, site, pair.filed)
        decisions = _decisions(session, entry_id)
        names = _device_names(session, entry.device_id, pair.filed)
    newcomer = filed = None
    found: list[DifferenceView] = []
    pixels = None
    if entry.purged_at is None:
        try:
            newcomer = version_of_entry(objects, entry)
            if pair.filed is not None:
                filed = _filed_version(objects, pair.filed)
                found = [
                    DifferenceView(**asdict(one))
                    for one in differences(objects, entry, newcomer, pair.filed)
                ]
                pixels = same_pixels(objects, newcomer, pair.filed)
        except ObjectNotFound:
            # `rdc verify` reports it; the page shows what the rows say.
            found = []
    return QuarantineDetail(
        id=entry.id,
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        calling_ae_title=entry.calling_ae_title,
        reason=entry.reason,
        sop_instance_uid=entry.sop_instance_uid,
        detail=entry.detail,
        resolution=QuarantineAction(entry.resolution) if entry.resolution else None,
        resolved_at=entry.resolved_at,
        purged_at=entry.purged_at,
        newcomer=None if newcomer is None else _view(newcomer, names),
        filed=None if filed is None else _view(filed, names),
        differences=found,
        same_pixels=pixels,
        rendered_path=path,
        decisions=decisions,
        actions=allowed_actions(entry),
    )


def _filed_version(objects: ObjectStore, filed: Instance) -> Version:
    header, unreadable = None, ""
    try:
        with objects.open(ObjectKey(filed.object_key)) as file:
            file.seek(filed.dataset_offset)
            header = read_header(file, filed.transfer_syntax_uid)
    except DatasetError as error:
        unreadable = f"{error.what}: {error.found}"
    return Version(
        filed.object_key,
        filed.object_size,
        filed.dataset_sha256,
        filed.received_at,
        filed.device_id,
        filed.transfer_syntax_uid,
        filed.dataset_offset,
        header,
        unreadable,
    )


def _view(version: Version, names: dict[UUID, str]) -> VersionView:
    header = version.header
    return VersionView(
        received_at=version.received_at,
        device_name=None if version.device_id is None else names.get(version.device_id),
        size=version.size,
        sha256=version.sha256,
        transfer_syntax_uid=version.transfer_syntax_uid,
        patient_id=header.patient_id if header else None,
        patient_name=display_name(header.patient_name) if header else None,
        patient_latin_name=latin_name(header.patient_name) if header else None,
        study_instance_uid=header.study_instance_uid if header else None,
        series_instance_uid=header.series_instance_uid if header else None,
        series_description=header.series_description if header else None,
        rows=header.rows if header else None,
        columns=header.columns if header else None,
        number_of_frames=header.number_of_frames if header else None,
        unreadable=version.unreadable,
    )


def _rendered_path(session: Session, site: Organisation, filed: Instance) -> str:
    study = session.get_one(Study, filed.study_id)
    series = session.get_one(Series, filed.series_id)
    return (
        f"/dicom-web/sites/{site.code}/studies/{study.study_instance_uid}"
        f"/series/{series.series_instance_uid}/instances/{filed.sop_instance_uid}/rendered"
    )


def _decisions(session: Session, entry_id: UUID) -> list[DecisionView]:
    rows = session.execute(
        select(QuarantineDecision, Person.display_name)
        .join(Person, Person.id == QuarantineDecision.decided_by)
        .where(QuarantineDecision.quarantine_id == entry_id)
        .order_by(QuarantineDecision.id)
    )
    return [
        DecisionView(
            action=one.action, reason=one.reason, decided_by=name, decided_at=one.decided_at
        )
        for one, name in rows
    ]


def _device_names(
    session: Session, device_id: UUID | None, filed: Instance | None
) -> dict[UUID, str]:
    wanted = {device_id, filed.device_id if filed else None} - {None}
    rows = session.execute(select(Device.id, Device.name).where(Device.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}
