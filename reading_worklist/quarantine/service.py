"""Deciding about quarantined bytes: nothing is overwritten, and both versions are kept.

Where the newcomer replaces the filed version, the two change places: the entry
then holds what was filed before, and taking the decision back changes them
again. Headers are read from the object store before the transaction begins; the
transaction checks that both versions are still those that were read.
"""

from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist import events
from reading_worklist.access.scope import Scope
from reading_worklist.keeping.removal import DERIVED_FROM_SERIES
from reading_worklist.problems import Problem, conflict, not_found
from reading_worklist.quarantine.comparison import Version, version_of_entry
from reading_worklist.quarantine.tables import QuarantineAction, QuarantineDecision
from storage import audit
from storage.clock import utc_now
from storage.database import Database
from storage.index.ingest import Filing, ReceivedInstance, ingest
from storage.index.tables import (
    Instance,
    Quarantine,
    QuarantineReason,
    Series,
    Study,
    StudyState,
)
from storage.index.withdrawal import withdraw
from storage.objects import ObjectStore
from storage.registry import Role

DECIDERS: Final = (Role.DISPATCHER, Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)

_BY_REASON: Final[Mapping[QuarantineReason, QuarantineAction]] = MappingProxyType(
    {
        QuarantineReason.UID_CONFLICT: QuarantineAction.REPLACE,
        QuarantineReason.PATIENT_MISMATCH: QuarantineAction.FILE,
    }
)
"""What can be done with an entry beside leaving it aside."""


def allowed_actions(entry: Quarantine) -> list[QuarantineAction]:
    """Return what can be decided about an entry now."""
    if entry.purged_at is not None:
        return []
    if entry.resolved_at is not None:
        return [QuarantineAction.UNDO]
    special = _BY_REASON.get(entry.reason)
    return [QuarantineAction.DISCARD, *([special] if special is not None else [])]


def decide(
    database: Database,
    objects: ObjectStore,
    scope: Scope,
    entry_id: UUID,
    *,
    action: QuarantineAction,
    reason: str,
) -> None:
    """Carry out a decision.

    Raises:
        Problem: 403 for the role; 404 when the entry is not visible; 409 `wrong-state` when the
            action does not fit the entry, `other-series` when the versions do not belong to the
            same place, `unreadable` when the version to be filed cannot be read, `changed` when
            somebody else was faster, `other-versions` when what was filed has other versions now,
            so that filing it cannot be undone before they are decided.
        ObjectStoreUnavailable: the object store does not answer.
    """
    scope.require(*DECIDERS)
    with database.transaction() as session:
        seen = visible(session, scope, entry_id)
        _require(seen, action)
    undoes = QuarantineAction(seen.resolution) if seen.resolution else None
    emptied: int | None = None
    swaps = action is QuarantineAction.REPLACE or undoes is QuarantineAction.REPLACE
    version = None
    if swaps or action is QuarantineAction.FILE:
        version = version_of_entry(objects, seen)
    with database.transaction() as session:
        entry = visible(session, scope, entry_id, lock=True)
        _require(entry, action)
        if entry.dataset_sha256 != seen.dataset_sha256 or entry.object_key != seen.object_key:
            raise conflict("changed", "Somebody else has decided meanwhile", remedy="Reload.")
        filed_sha256 = _filed_sha256(session, entry)
        if version is not None and swaps:
            filed_sha256 = _swap(session, entry, version)
        elif version is not None:
            filed_sha256 = _file(session, entry, version)
        elif undoes is QuarantineAction.FILE:
            filed_sha256, emptied = _unfile(session, entry)
        undone = action is QuarantineAction.UNDO
        entry.resolved_at = None if undone else utc_now()
        entry.resolved_by = None if undone else scope.person_id
        entry.resolution = None if undone else action.value
        session.add(
            QuarantineDecision(
                quarantine_id=entry.id,
                action=action,
                reason=reason.strip(),
                filed_sha256=filed_sha256,
                decided_by=scope.person_id,
            )
        )
        audit.record(
            session,
            scope.actor,
            f"quarantine:{action.value}",
            subject_kind="quarantine",
            subject_id=entry.id,
            detail={"reason": entry.reason, "filed_sha256": filed_sha256},
        )
        if entry.site_id is not None:
            data = {"id": str(entry.id), "resolution": entry.resolution}
            events.publish(session, events.Event("quarantine", entry.site_id, data))
    if emptied is not None:
        for folder in DERIVED_FROM_SERIES:
            for stored in list(objects.list(f"{folder}/{emptied}/")):
                objects.delete(stored.key)


def visible(session: Session, scope: Scope, entry_id: UUID, *, lock: bool = False) -> Quarantine:
    """Return an entry of a visible site.

    Raises:
        Problem: 404 when there is none.
    """
    query = select(Quarantine).where(Quarantine.id == entry_id, scope.sees(Quarantine.site_id))
    entry = session.scalar(query.with_for_update() if lock else query)
    if entry is None:
        raise not_found("The quarantined instance")
    return entry


def _require(entry: Quarantine, action: QuarantineAction) -> None:
    allowed = allowed_actions(entry)
    if action not in allowed:
        raise conflict(
            "wrong-state",
            f"'{action.value}' is not possible for this entry now",
            expected=" or ".join(allowed) or "an entry that is not purged or filed",
            found=entry.resolution or entry.reason,
            remedy="Reload: somebody may have decided already.",
        )


def _filed_sha256(session: Session, entry: Quarantine) -> str:
    filed = None if entry.instance_id is None else session.get(Instance, entry.instance_id)
    return "" if filed is None else filed.dataset_sha256


def _swap(session: Session, entry: Quarantine, version: Version) -> str:
    """Let the entry's version be the filed one, and the filed one the entry's."""
    header = version.header
    if header is None:
        raise _unreadable(version)
    found = session.execute(
        select(Study, Series, Instance)
        .join(Instance, Instance.study_id == Study.id)
        .join(Series, Series.id == Instance.series_id)
        .where(Instance.id == entry.instance_id)
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise conflict("changed", "The filed version is gone", remedy="Reload.")
    study, series, filed = found
    same_place = (
        header.study_instance_uid == study.study_instance_uid
        and header.series_instance_uid == series.series_instance_uid
        and header.sop_instance_uid == filed.sop_instance_uid
        and header.patient_id == study.header_patient_id
    )
    if not same_place:
        raise conflict(
            "other-series",
            "The two versions do not belong to the same patient, study and series",
            remedy="Keep the filed one; let the site correct and send the other again.",
        )
    before = (
        filed.object_key,
        filed.object_size,
        filed.dataset_sha256,
        filed.received_at,
        filed.device_id,
    )
    growth = version.size - filed.object_size
    filed.object_key = version.object_key
    filed.object_size = version.size
    filed.dataset_sha256 = version.sha256
    filed.dataset_offset = version.dataset_offset
    filed.pixel_data_offset = header.pixel_data_offset
    filed.received_at = version.received_at
    filed.device_id = version.device_id
    filed.transfer_syntax_uid = version.transfer_syntax_uid
    filed.sop_class_uid = header.sop_class_uid
    filed.instance_number = header.instance_number
    filed.rows = header.rows
    filed.columns = header.columns
    filed.number_of_frames = header.number_of_frames
    (
        entry.object_key,
        entry.object_size,
        entry.dataset_sha256,
        entry.received_at,
        entry.device_id,
    ) = before
    series.byte_count += growth
    study.byte_count += growth
    series.revision += 1
    # Complete anew: readers are told, and what was made from the series is made again.
    study.state = StudyState.RECEIVING
    study.quiet_due_at = utc_now()
    return version.sha256


def _file(session: Session, entry: Quarantine, version: Version) -> str:
    """File the instance in its study although its header names another patient."""
    header = version.header
    if header is None or entry.site_id is None:
        raise _unreadable(version)
    study = session.scalar(
        select(Study)
        .where(
            Study.site_id == entry.site_id,
            Study.study_instance_uid == str(header.study_instance_uid),
        )
        .with_for_update()
    )
    if study is None:
        raise conflict("changed", "The study is gone", remedy="Let the site send it again.")
    (outcome,) = ingest(
        session,
        [
            ReceivedInstance(
                # The decision is that it is the study's patient; the bytes stay as they are.
                header=changed(header, patient_id=study.header_patient_id),
                site_id=entry.site_id,
                device_id=entry.device_id,
                transfer_syntax_uid=version.transfer_syntax_uid,
                object_key=version.object_key,
                object_size=version.size,
                dataset_sha256=version.sha256,
                dataset_offset=version.dataset_offset,
                pixel_data_offset=header.pixel_data_offset,
                received_at=version.received_at,
                quiet=timedelta(0),
            )
        ],
    )
    if outcome.filing is Filing.CONFLICT:
        raise conflict(
            "wrong-state",
            "Another version of this instance has been filed meanwhile",
            remedy="Discard this one, or let the site send it again.",
        )
    entry.instance_id = outcome.instance_id
    return version.sha256


def _unfile(session: Session, entry: Quarantine) -> tuple[str, int | None]:
    """Take an instance that was filed by decision out of its study again; its bytes are here.

    Returns what is filed under its UID now, and the id of its series when that was all it had.
    """
    filed = None if entry.instance_id is None else session.get(Instance, entry.instance_id)
    entry.instance_id = None
    session.flush()
    if filed is None:
        return "", None
    if filed.object_key != entry.object_key and filed.dataset_sha256 == entry.dataset_sha256:
        # It came by itself as well, before it was filed by hand.
        return filed.dataset_sha256, None
    others = select(Quarantine.id).where(Quarantine.instance_id == filed.id).limit(1)
    if session.scalar(others) is not None:
        raise conflict(
            "other-versions",
            "Other versions of the filed instance are in quarantine",
            remedy="Open those entries; take a replacement back, or let the site send it again.",
        )
    return "", withdraw(session, filed.study_id, filed.id)


def _unreadable(version: Version) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "unreadable",
        "This version cannot be read, so it cannot be filed",
        found=version.unreadable,
        remedy="Keep the filed one; let the site send it again.",
    )
