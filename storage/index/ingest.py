"""Filing received instances in the index, a batch in one transaction.

Filing is idempotent: an instance that is already there with the same bytes
changes nothing, one with other bytes or another patient is reported back and
never overwrites.

The statements are Core and few: instances come a thousand a second, and most
of the time filing takes goes to making statements and rows, not to the index.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import (
    ARRAY,
    Connection,
    String,
    bindparam,
    delete,
    exists,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from storage.clock import utc_now
from storage.index.parents import StudyInHand, find_series, locked_study
from storage.index.received import ReceivedInstance
from storage.index.tables import Instance, Patient, QuarantineReason, Series, Study
from storage.report_objects.names import SOP_CLASSES as REPORT_CLASSES
from storage.report_objects.tables import ReportObject

__all__ = ["Filing", "IngestOutcome", "ReceivedInstance", "ingest"]


class Filing(StrEnum):
    """What became of a received instance."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """The outcome for one instance of a batch.

    reason: set for CONFLICT only; UID_CONFLICT or PATIENT_MISMATCH.
    instance_id: the filed instance with this SOP Instance UID; None for a patient mismatch, and for
        an object of a report that was recalled: a site's PACS may send it back, and it does not
        come to life again.
    """

    filing: Filing
    instance_id: int | None
    reason: QuarantineReason | None = None


_Key: TypeAlias = tuple[UUID, str]
"""A site and the UID of something that it has."""
_OTHER_PATIENT: Final = IngestOutcome(Filing.CONFLICT, None, QuarantineReason.PATIENT_MISMATCH)


@dataclass(frozen=True, slots=True)
class _Filed:
    id: int | None
    dataset_sha256: str
    transfer_syntax_uid: str


def ingest(session: Session, batch: Sequence[ReceivedInstance]) -> list[IngestOutcome]:
    """File `batch` in the caller's transaction and return one outcome per element, in its order.

    The studies concerned stay locked until the transaction ends, so that two
    gateways that receive parts of one study count correctly; locks are taken
    in one order, so they never wait for each other in a circle.
    """
    session.flush()
    connection = session.connection()
    studies: dict[_Key, StudyInHand] = {}
    recalled = _recalled(connection, batch)
    for key, items in sorted(_by_study(batch).items(), key=lambda one: _lock_order(one[1][0])):
        studies[key] = locked_study(connection, items[0])
        _take_fresh(studies[key], [one for one in items if _sop_key(one) not in recalled])
    rows: dict[_Key, dict[str, object]] = {}
    fresh: dict[_Key, ReceivedInstance] = {}
    for (site_id, _), study in studies.items():
        find_series(connection, study)
        for uid, item in study.fresh.items():
            # One SOP Instance UID may be in two studies of one batch: the first is filed.
            if (site_id, uid) not in rows:
                rows[site_id, uid] = _instance_row(study, item)
                fresh[site_id, uid] = item
    made = _file(connection, rows, studies.values())
    rest = {_sop_key(item) for item in batch if _sop_key(item) not in made}
    known = _known_instances(connection, rest) | {
        key: _Filed(pk, fresh[key].dataset_sha256, fresh[key].transfer_syntax_uid)
        for key, pk in made.items()
    }
    _settle(connection, studies, fresh, made)
    _expire(session)
    outcomes: list[IngestOutcome] = []
    for item in batch:
        key = _sop_key(item)
        if key in made and fresh[key] is item:
            outcomes.append(IngestOutcome(Filing.STORED, made[key]))
        elif key in recalled:
            outcomes.append(_compare(recalled[key], item))
        else:
            # What is neither filed nor known did not fit its study's patient.
            outcomes.append(_compare(known[key], item) if key in known else _OTHER_PATIENT)
    return outcomes


def _recalled(connection: Connection, batch: Sequence[ReceivedInstance]) -> dict[_Key, _Filed]:
    """Return those of the batch that are objects of a report version that does not stand."""
    keys = [_sop_key(one) for one in batch if one.header.sop_class_uid in REPORT_CLASSES]
    if not keys:
        return {}
    rows = connection.execute(
        select(
            ReportObject.site_id,
            ReportObject.sop_instance_uid,
            ReportObject.dataset_sha256,
        ).where(
            tuple_(ReportObject.site_id, ReportObject.sop_instance_uid).in_(keys),
            ReportObject.superseded_at.is_not(None),
        )
    )
    return {
        (site_id, uid): _Filed(None, digest, ExplicitVRLittleEndian)
        for site_id, uid, digest in rows
    }


def _by_study(batch: Sequence[ReceivedInstance]) -> dict[_Key, list[ReceivedInstance]]:
    studies: dict[_Key, list[ReceivedInstance]] = {}
    for item in batch:
        studies.setdefault((item.site_id, item.header.study_instance_uid), []).append(item)
    return studies


def _sop_key(item: ReceivedInstance) -> _Key:
    return (item.site_id, item.header.sop_instance_uid)


def _lock_order(item: ReceivedInstance) -> tuple[str, str, str]:
    return (str(item.site_id), item.header.patient_id or "", item.header.study_instance_uid)


def _take_fresh(study: StudyInHand, items: Sequence[ReceivedInstance]) -> None:
    for item in items:
        # Not the patient's own: a person may have given the study to another patient.
        if item.evidence or item.header.patient_id == study.header_patient_id:
            study.fresh.setdefault(item.header.sop_instance_uid, item)


# Instances and the counts of what they belong to, which can so never differ. The rows are one
# parameter: a thousand of them would be made and bound one by one. Rows to be counted are named
# by `any`, since a plan made while the tables were small would read all of a table to join it.
_FILE: Final = text("""
    WITH made AS (
        INSERT INTO instance (
            site_id, study_id, series_id, sop_instance_uid, sop_class_uid, transfer_syntax_uid,
            instance_number, rows, columns, number_of_frames, object_key, object_size,
            dataset_sha256, dataset_offset, pixel_data_offset, received_at, device_id
        )
        SELECT * FROM json_to_recordset(CAST(:instances AS json)) AS instance(
            site_id uuid, study_id uuid, series_id bigint, sop_instance_uid text,
            sop_class_uid text, transfer_syntax_uid text, instance_number integer, rows integer,
            columns integer, number_of_frames integer, object_key text, object_size bigint,
            dataset_sha256 text, dataset_offset integer, pixel_data_offset bigint,
            received_at timestamptz, device_id uuid
        )
        ON CONFLICT (site_id, sop_instance_uid) DO NOTHING
        RETURNING id, site_id, sop_instance_uid, study_id, series_id, object_size, received_at
    ), counted_series AS (
        UPDATE series SET
            instance_count = instance_count + by_series.instances,
            byte_count = byte_count + by_series.bytes,
            revision = revision + by_series.instances
        FROM (
            SELECT series_id, count(*) AS instances, sum(object_size) AS bytes
            FROM made GROUP BY series_id
        ) AS by_series
        WHERE series.id = by_series.series_id AND series.id = ANY (CAST(:series AS bigint[]))
    ), counted_studies AS (
        UPDATE study SET
            instance_count = instance_count + by_study.instances,
            byte_count = byte_count + by_study.bytes,
            last_received_at = CASE WHEN touched.evidence THEN last_received_at
                ELSE greatest(last_received_at, by_study.received_at) END,
            quiet_due_at = CASE WHEN touched.evidence AND state = 'COMPLETE'
                THEN study.quiet_due_at ELSE touched.quiet_due_at END,
            state = CASE WHEN touched.evidence THEN state ELSE 'RECEIVING' END,
            purged_at = NULL
        FROM (
            SELECT study_id, count(*) AS instances, sum(object_size) AS bytes,
                max(received_at) AS received_at
            FROM made GROUP BY study_id
        ) AS by_study
        JOIN json_to_recordset(CAST(:studies AS json))
            AS touched(id uuid, quiet_due_at timestamptz, evidence boolean)
            ON touched.id = by_study.study_id
        WHERE study.id = by_study.study_id AND study.id = ANY (CAST(:study_ids AS uuid[]))
    )
    SELECT site_id, sop_instance_uid, id FROM made
""")


def _file(
    connection: Connection,
    rows: Mapping[_Key, Mapping[str, object]],
    studies: Iterable[StudyInHand],
) -> dict[_Key, int]:
    """Insert instances and count them; return the ids of those whose UID nobody has filed yet."""
    if not rows:
        return {}
    now = utc_now()
    touched = [
        {
            "id": study.text,
            "quiet_due_at": (now + max(one.quiet for one in study.fresh.values())).isoformat(),
            "evidence": all(one.evidence for one in study.fresh.values()),
        }
        for study in studies
        if study.fresh
    ]
    parameters = {
        # In one order, as locks are: two transactions may meet at the same UIDs in other studies.
        "instances": json.dumps([rows[key] for key in sorted(rows, key=_uid_of)]),
        "series": [one.id for study in studies for one in study.series.values()],
        "studies": json.dumps(touched),
        "study_ids": [one["id"] for one in touched],
    }
    made = connection.execute(_FILE, parameters)
    return {(site_id, uid): pk for site_id, uid, pk in made}


def _uid_of(key: _Key) -> str:
    return key[1]


def _instance_row(study: StudyInHand, item: ReceivedInstance) -> dict[str, object]:
    header = item.header
    return {
        "site_id": str(item.site_id),
        "study_id": study.text,
        "series_id": study.series[header.series_instance_uid].id,
        "sop_instance_uid": header.sop_instance_uid,
        "sop_class_uid": header.sop_class_uid,
        "transfer_syntax_uid": item.transfer_syntax_uid,
        "instance_number": header.instance_number,
        "rows": header.rows,
        "columns": header.columns,
        "number_of_frames": header.number_of_frames,
        "object_key": item.object_key,
        "object_size": item.object_size,
        "dataset_sha256": item.dataset_sha256,
        "dataset_offset": item.dataset_offset,
        "pixel_data_offset": item.pixel_data_offset,
        "received_at": item.received_at.isoformat(),
        "device_id": None if item.device_id is None else str(item.device_id),
    }


_FIND_INSTANCES: Final = select(
    Instance.sop_instance_uid, Instance.id, Instance.dataset_sha256, Instance.transfer_syntax_uid
).where(
    Instance.site_id == bindparam("site_id"),
    Instance.sop_instance_uid == func.any(bindparam("uids", type_=ARRAY(String))),
)


def _known_instances(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, _Filed]:
    by_site: dict[UUID, list[str]] = {}
    for site_id, uid in keys:
        by_site.setdefault(site_id, []).append(uid)
    return {
        (site_id, filed.sop_instance_uid): _Filed(
            filed.id, filed.dataset_sha256, filed.transfer_syntax_uid
        )
        for site_id, uids in by_site.items()
        for filed in connection.execute(_FIND_INSTANCES, {"site_id": site_id, "uids": uids})
    }


def _compare(filed: _Filed, item: ReceivedInstance) -> IngestOutcome:
    same = (
        filed.dataset_sha256 == item.dataset_sha256
        and filed.transfer_syntax_uid == item.transfer_syntax_uid
    )
    if same:
        return IngestOutcome(Filing.DUPLICATE, filed.id)
    return IngestOutcome(Filing.CONFLICT, filed.id, QuarantineReason.UID_CONFLICT)


def _settle(
    connection: Connection,
    studies: Mapping[_Key, StudyInHand],
    fresh: Mapping[_Key, ReceivedInstance],
    made: Iterable[_Key],
) -> None:
    """Count the series made, and remove series and studies made whose instances were all known."""
    for key in made:
        header = fresh[key].header
        study = studies[key[0], header.study_instance_uid]
        study.series[header.series_instance_uid].filed += 1
    for study in studies.values():
        new = [one for one in study.series.values() if one.made]
        kept = [one.header.modality for one in new if one.filed]
        if len(kept) < len(new):
            empty = [one.id for one in new if not one.filed]
            connection.execute(delete(Series).where(Series.id.in_(empty)))
        if kept:
            modalities = {one for one in kept if one}.union(study.modalities)
            changes = {"series_count": study.series_count + len(kept)} | (
                {} if modalities.issubset(study.modalities) else {"modalities": sorted(modalities)}
            )
            connection.execute(update(Study).where(Study.id == study.id).values(changes))
        elif study.made_with is not None:
            connection.execute(delete(Study).where(Study.id == study.id))
            alone = ~exists().where(Study.patient_id == Patient.id)
            connection.execute(delete(Patient).where(Patient.id == study.made_with, alone))


def _expire(session: Session) -> None:
    """Let objects that the caller has loaded be read again: the rows were changed beside them."""
    for one in list(session.identity_map.values()):
        if isinstance(one, (Study, Series)):
            session.expire(one)
