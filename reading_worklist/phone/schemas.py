"""The telephone list as the API gives it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.critical_values.schemas import Contact
from reading_worklist.phone.said import PhoneCall
from reading_worklist.retakes.states import RetakeReason
from reading_worklist.workitems.schemas import PatientView, SiteView, StudyView


class PhoneMatter(StrEnum):
    """Why somebody is rung, the most pressing first.

    CRITICAL: nobody has acknowledged a critical value. ACTION: nobody has told what was done about
    it. RETAKE: the site has not answered.
    """

    CRITICAL = "critical"
    ACTION = "action"
    RETAKE = "retake"


class PhoneTask(BaseModel):
    """Somebody has to be rung now.

    subject_id: of the critical value or the retake. what: what is told; reason_code: of a retake,
        by which a page says it in its own words. since: from when the site has known and said
        nothing. limit_at: by when somebody has to be reached, if there is such a time. next_at:
        when the clock tells the next step.
    contacts: whom to ring, those of the present step first, then those told before, then the rest.
    calls: the newest first.
    """

    matter: PhoneMatter
    subject_id: UUID
    workitem_id: UUID
    site: SiteView
    patient: PatientView
    study: StudyView
    what: str
    reason_code: RetakeReason | None
    since: datetime
    limit_at: datetime | None
    next_at: datetime | None
    step: int
    contacts: list[Contact]
    calls: list[PhoneCall]
