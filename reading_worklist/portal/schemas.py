"""The exams of a site as its own people see them."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.critical_values.schemas import CriticalPage
from reading_worklist.portal.road import Attention, ExamStep, Need, Obstacle, Verdict
from reading_worklist.reports.schemas import RecallNotice
from reading_worklist.retakes.schemas import RetakePage
from reading_worklist.workitems.schemas import DeliveryStep, RecallView, SiteView
from reading_worklist.workitems.tables import Lane
from storage.orders.words import Contrast, Laterality, Priority, PriorityReason


class ExamPatient(BaseModel):
    """The patient of an exam, as ordered while there are no images, else as the images' study says.

    See `PatientView`.
    """

    name: str
    latin_name: str
    name_guessed: bool
    local_id: str | None
    sex: str | None
    birth_date: date | None
    age: str | None


class ExamStudy(BaseModel):
    """What is examined, and how much of it has come.

    study_instance_uid: None while nothing has come. instance_count: received so far.
    expected_count: how many the device says it made; None when it has not said, or not yet.
    missing_count: of these, those that are not here.
    """

    study_instance_uid: str | None
    study_date: date | None
    study_time: time | None
    description: str | None
    accession_number: str | None
    modalities: list[str]
    body_part: str | None
    laterality: Laterality | None
    contrast: Contrast | None
    instance_count: int
    expected_count: int | None
    missing_count: int


class ExamSteps(BaseModel):
    """When the exam passed each step; None is not yet, or that it went without it."""

    ordered_at: datetime | None
    checked_in_at: datetime | None
    acquired_at: datetime | None
    received_at: datetime | None
    complete_at: datetime | None
    queued_at: datetime | None
    reading_since: datetime | None
    signed_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None


class ExamView(BaseModel):
    """One exam of the site, from its order to the opened report.

    id: of its reading; before it is in the queue, of its order or its study. All three find it.
    first_contact_at: of a patient with chest pain, see `OrderBody`.
    scheduled_at: for when it is ordered; None without an order.
    critical: a critical value was told and nobody of the site has acknowledged it.
    report_version, report_status: of the newest report, the status as FHIR words it; a revoked
        one is entered-in-error.
    """

    id: UUID
    workitem_id: UUID | None
    order_id: UUID | None
    lane: Lane
    priority: Priority
    priority_reason: PriorityReason | None
    first_contact_at: datetime | None
    scheduled_at: datetime | None
    step: ExamStep
    attention: Attention | None
    critical: bool
    due_at: datetime | None
    site: SiteView
    patient: ExamPatient
    study: ExamStudy
    steps: ExamSteps
    report_version: int | None
    report_status: str | None


class ExamPage(BaseModel):
    """A page of the site's exams, newest first."""

    items: list[ExamView]
    total: int
    page: int
    page_size: int


class PortalReport(BaseModel):
    """A signed report of the site; `opened_at` is the first time somebody of the site opened it.

    reviewer: None for a preliminary report. recall: None for the one that stands.
    """

    version_id: UUID
    number: int
    status: str
    issued_at: datetime
    pdf_sha256: str
    writer: str
    reviewer: str | None
    recall: RecallView | None
    opened_at: datetime | None


class ExamDetail(ExamView):
    """An exam with what was asked, its reports and their way back.

    viewer_url: None while there is nothing to look at.
    """

    department: str | None
    requester: str | None
    clinical_diagnosis: str | None
    reason: str | None
    reports: list[PortalReport]
    deliveries: list[DeliveryStep]
    viewer_url: str | None


class KeptView(BaseModel):
    """Whether the images of an exam may be deleted from the modality, and why not.

    received, expected, missing, quarantined, lost: instances, see `road.KeptFacts`.
    checked_at: when the store was asked; None where something else spoke against it already.
    """

    verdict: Verdict
    obstacle: Obstacle | None
    received: int
    expected: int | None
    missing: int
    quarantined: int
    lost: int
    committed: bool
    checked_at: datetime | None


class HomeView(BaseModel):
    """What needs somebody of the site now; each list has its first few and how many there are.

    critical: told and not acknowledged, or acknowledged and not acted on. retakes: to be made
    again. attention: whose images they are is in question, or not all are here. unopened: reports
    of the last 30 days that nobody has opened. late: ordered exams whose images should be here.
    recalls: reports that this person has opened and that do not stand any more.
    """

    critical: CriticalPage
    retakes: RetakePage
    attention: ExamPage
    unopened: ExamPage
    late: ExamPage
    recalls: list[RecallNotice]


@dataclass(frozen=True, slots=True)
class ExamFilter:
    """What to show; None is everything.

    text: the beginning of patient id or accession number, or of a name in any reading.
    needs: only exams that want this of the site.
    from_date: ordered or examined on that day or after.
    workitem_ids: only these readings.
    """

    text: str | None = None
    step: ExamStep | None = None
    modality: str | None = None
    needs: Need | None = None
    from_date: date | None = None
    queued_after: datetime | None = None
    workitem_ids: frozenset[UUID] | None = None
