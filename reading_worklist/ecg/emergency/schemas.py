"""What the routes of emergency ECGs answer."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.ecg.emergency.times import Clock, Doubt, Step
from reading_worklist.portal.statistics_schemas import Rate
from reading_worklist.workitems.schemas import PatientView, SiteView


class MomentView(BaseModel):
    """A step of an emergency ECG: when, by which clock, and what speaks against that time."""

    step: Step
    at: datetime | None
    clock: Clock
    doubt: Doubt | None


class EmergencyTimes(BaseModel):
    """The steps of an emergency ECG in their order.

    chest_pain: the order says so; the limits are national for those only. The seconds are None
    while they are not known; `diagnosis_in_time` is None while it still can be.
    """

    chest_pain: bool
    moments: list[MomentView]
    contact_to_ecg_seconds: float | None
    contact_to_ecg_limit_seconds: float
    ecg_to_diagnosis_seconds: float | None
    ecg_to_diagnosis_limit_seconds: float
    diagnosis_in_time: bool | None
    diagnosis_due_at: datetime


class WaitingEcg(BaseModel):
    """A STAT ECG that nobody has claimed; `due_at` is when its first report is due."""

    workitem_id: UUID
    site: SiteView
    patient: PatientView
    chest_pain: bool
    received_at: datetime
    warn_at: datetime | None
    due_at: datetime


class WaitingEcgs(BaseModel):
    """Those of the sites that are visible, the one that came first before the others."""

    items: list[WaitingEcg]


class AnsweredEcg(BaseModel):
    """A STAT ECG of the site whose report is back and that nobody there has opened yet."""

    workitem_id: UUID
    patient: PatientView
    chest_pain: bool
    preliminary: bool
    issued_at: datetime


class AnsweredEcgs(BaseModel):
    """The one that was answered last before the others."""

    items: list[AnsweredEcg]


class IntervalView(BaseModel):
    """How often an interval was kept; seconds are of all whose interval is known.

    wanted: the share that is asked for; None where none is.
    """

    rate: Rate
    mean_seconds: float | None
    median_seconds: float | None
    limit_seconds: float
    wanted: float | None


class EmergencyIndicators(BaseModel):
    """The intervals of the chest-pain ECGs that were received from `since` to `until`.

    contact_unknown: of those, how many have no first contact, or an impossible one; they count in
    no share.
    """

    since: datetime
    until: datetime
    ecgs: int
    contact_unknown: int
    contact_to_ecg: IntervalView
    ecg_to_diagnosis: IntervalView


class CountedEcg(BaseModel):
    """One of the ECGs that a figure counts."""

    workitem_id: UUID
    site: SiteView
    received_at: datetime
    contact_to_ecg_seconds: float | None
    ecg_to_diagnosis_seconds: float | None


class CountedEcgs(BaseModel):
    """By time of receipt."""

    items: list[CountedEcg]
