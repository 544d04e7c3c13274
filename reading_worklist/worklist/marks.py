"""What goes on beside the readings of a page: critical values, retakes, consultations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from reading_worklist.consultations.states import ConsultationState
from reading_worklist.consultations.tables import Consultation
from reading_worklist.critical_values.states import OPEN as CRITICAL_OPEN
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.retakes.states import RetakeState
from reading_worklist.retakes.tables import Retake
from storage.database import one_of

_State = TypeVar("_State", bound=StrEnum)

_CRITICAL: Final = [one for one in CriticalState if one in CRITICAL_OPEN]
_RETAKES: Final = [RetakeState.REQUESTED, RetakeState.ACKNOWLEDGED]
_CONSULTATIONS: Final = [
    ConsultationState.OPINION_SIGNED,
    ConsultationState.APPLIED,
    ConsultationState.ACCEPTED,
    ConsultationState.SCHEDULED,
]
"""What matters most stands first: of several of one reading it is shown."""


@dataclass(frozen=True, slots=True)
class Marks:
    """By workitem; see `schemas.WorklistLine`."""

    critical_values: Mapping[UUID, CriticalState]
    retakes: Mapping[UUID, RetakeState]
    consultations: Mapping[UUID, ConsultationState]


def marks_of(session: Session, workitem_ids: Sequence[UUID]) -> Marks:
    """Return what goes on beside some workitems, which the asker is known to see."""

    def first(
        workitem_id: InstrumentedAttribute[UUID],
        state: InstrumentedAttribute[Any],
        shown: Sequence[_State],
    ) -> dict[UUID, _State]:
        rows = session.execute(
            select(workitem_id, state).where(one_of(workitem_id, workitem_ids), state.in_(shown))
        )
        by_place = sorted(rows, key=lambda row: shown.index(row[1]), reverse=True)
        return {row[0]: row[1] for row in by_place}

    return Marks(
        critical_values=first(CriticalValue.workitem_id, CriticalValue.state, _CRITICAL),
        retakes=first(Retake.workitem_id, Retake.state, _RETAKES),
        consultations=first(Consultation.workitem_id, Consultation.state, _CONSULTATIONS),
    )
