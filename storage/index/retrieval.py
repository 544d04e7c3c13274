"""What of one site a device may have back: instances by the unique keys of a retrieval."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.identity.overlay import Overlay, overlays_of
from storage.index.tables import Instance, Patient, Series, Study


@dataclass(frozen=True, slots=True)
class Selection:
    """The unique keys of a retrieval (PS3.4 §C.4.2.1.4.2); what is empty does not select.

    patient_id: as the index has it.
    """

    patient_id: str = ""
    study_instance_uids: Sequence[str] = ()
    series_instance_uids: Sequence[str] = ()
    sop_instance_uids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class KeptInstance:
    """An instance and where its bytes are; see `storage.index.tables.Instance`.

    overlay: what people decided about its patient; None when what its header says holds.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    object_key: str
    object_size: int
    dataset_offset: int
    overlay: Overlay | None = None


def instances_of(session: Session, site_id: UUID, selection: Selection) -> list[KeptInstance]:
    """Return the selected instances of a site, by study, series and instance number.

    Raises:
        ValueError: nothing is selected by, which would be everything.
    """
    conditions = [
        condition
        for wanted, condition in (
            (selection.patient_id, Patient.local_id == selection.patient_id),
            (
                selection.study_instance_uids,
                Study.study_instance_uid.in_(selection.study_instance_uids),
            ),
            (
                selection.series_instance_uids,
                Series.series_instance_uid.in_(selection.series_instance_uids),
            ),
            (
                selection.sop_instance_uids,
                Instance.sop_instance_uid.in_(selection.sop_instance_uids),
            ),
        )
        if wanted
    ]
    if not conditions:
        raise ValueError("a retrieval selects by at least one unique key")
    rows = session.execute(
        select(
            Instance.sop_class_uid,
            Instance.sop_instance_uid,
            Instance.transfer_syntax_uid,
            Instance.object_key,
            Instance.object_size,
            Instance.dataset_offset,
            Instance.study_id,
        )
        .join(Series, Series.id == Instance.series_id)
        .join(Study, Study.id == Instance.study_id)
        .join(Patient, Patient.id == Study.patient_id)
        .where(Instance.site_id == site_id, Study.site_id == site_id, *conditions)
        .order_by(
            Study.study_instance_uid,
            Series.series_number,
            Series.series_instance_uid,
            Instance.instance_number,
            Instance.sop_instance_uid,
        )
    ).all()
    kept = [(KeptInstance(*row[:-1]), row[-1]) for row in rows]
    overlays = overlays_of(session, {study_id for _, study_id in kept})
    if not overlays:
        return [one for one, _ in kept]
    return [replace(one, overlay=overlays.get(study_id)) for one, study_id in kept]
