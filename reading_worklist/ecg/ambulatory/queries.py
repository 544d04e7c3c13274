"""What the index says of long records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.ecg.queries import EcgInstance
from storage.index.tables import Instance
from storage.objects import ObjectKey

SMALLEST_BYTES: Final = 100_000
"""No record of five minutes is smaller: one lead of 16 bits at 200 Hz takes more."""


@dataclass(frozen=True, slots=True)
class LongInstance:
    """An ECG instance that may be a long record, and where it is kept."""

    series_id: int
    sop_instance_uid: str
    object_key: ObjectKey
    object_size: int


def long_instances(session: Session, instances: Sequence[EcgInstance]) -> Sequence[LongInstance]:
    """Return those of the instances that are large enough, in their order.

    Whoever calls has decided that they may be seen.
    """
    found = {
        row.object_key: row
        for row in session.execute(
            select(
                Instance.series_id,
                Instance.sop_instance_uid,
                Instance.object_key,
                Instance.object_size,
            ).where(
                Instance.sop_instance_uid.in_([one.sop_instance_uid for one in instances]),
                Instance.object_key.in_([one.object_key for one in instances]),
                Instance.object_size >= SMALLEST_BYTES,
            )
        )
    }
    return [
        LongInstance(
            row.series_id, row.sop_instance_uid, ObjectKey(row.object_key), row.object_size
        )
        for one in instances
        if (row := found.get(one.object_key)) is not None
    ]
