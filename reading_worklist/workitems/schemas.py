"""The worklist as the API gives it."""

from datetime import date, datetime, time
from uuid import UUID

from pydantic import BaseModel

from reading_worklist.reports.codes import Codes
from reading_worklist.reports.ecg_draft import DraftEcg
from reading_worklist.reports.states import AmendmentKind, RecallKind, RevocationState
from reading_worklist.workitems.states import State
from reading_worklist.workitems.tables import Lane
from storage.orders.words import Priority


class SiteView(BaseModel):
    """The site that sent the study."""

    id: UUID
    code: str
    name: str
    name_en: str


class PersonView(BaseModel):
    """A person, as others see them."""

    id: UUID
    display_name: str


class PatientView(BaseModel):
    """The patient of a study.

    `name_guessed` says that the name's character set was not declared rightly. `latin_name` is the
    name in Latin letters where `name` is not and the data has both, else empty.
    """

    id: UUID
    name: str
    latin_name: str
    name_guessed: bool
    local_id: str | None
    sex: str | None
    birth_date: date | None
    age: str | None


class StudyView(BaseModel):
    """The study to be read."""

    id: UUID
    study_instance_uid: str
    study_date: date | None
    study_time: time | None
    description: str | None
    accession_number: str | None
    modalities: list[str]
    series_count: int
    instance_count: int


class GroupName(BaseModel):
    """The subspecialty that reads a study."""

    code: str
    name: str
    name_en: str


class WorkitemView(BaseModel):
    """One line of the worklist; `actions` are those this person may take now.

    warn_at: from when it is near its due time; None for what was queued before there were rules.
    claim_due_at: until when somebody should claim it; escalated_at: when nobody had until then.
    overdue: the clock has seen its due time pass.
    rule: which routing rule sent it here. assigned_to: who shall do what comes next.
    priors: how many other studies the patient has at this site.
    quality_warnings: what volume checks warn of, see `/workitems/{id}/quality`.
    amending: an issued report, which stands meanwhile, is being replaced.
    preliminary_stands: a preliminary report is out and waits for the final one.
    """

    id: UUID
    lane: Lane
    state: State
    priority: Priority
    queued_at: datetime
    due_at: datetime
    warn_at: datetime | None
    claim_due_at: datetime | None
    escalated_at: datetime | None
    overdue: bool
    group: GroupName | None
    rule: str | None
    assigned_to: PersonView | None
    site: SiteView
    patient: PatientView
    study: StudyView
    claimed_by: PersonView | None
    written_by: PersonView | None
    lease_until: datetime | None
    late_instances: bool
    amending: bool
    preliminary_stands: bool
    quality_warnings: int
    priors: int
    actions: list[str]
    revision: int


class SeriesView(BaseModel):
    """One series of the study."""

    series_instance_uid: str
    modality: str | None
    number: int | None
    description: str | None
    instance_count: int


class DraftView(BaseModel):
    """What the writer has typed so far. template_id: the template that was inserted last."""

    findings: str
    impression: str
    advice: str
    comparison: str
    addendum: str
    codes: Codes
    template_id: UUID | None
    ecg: DraftEcg
    revision: int
    saved_at: datetime


class ReturnView(BaseModel):
    """Why a submission was given back."""

    reviewer: PersonView
    comment: str
    at: datetime


class OverrideView(BaseModel):
    """A warning of the checks over which somebody signed, and why; key: as in `CheckFinding`."""

    key: str
    code: str
    excerpt: str
    reason: str
    person: PersonView
    at: datetime


class SubmissionView(BaseModel):
    """A report as its writer signed it.

    status: what it shall be issued as, the FHIR DiagnosticReport status.
    """

    id: UUID
    number: int
    writer: PersonView
    submitted_at: datetime
    findings: str
    impression: str
    advice: str
    comparison: str
    addendum: str
    codes: Codes
    overridden: list[OverrideView]
    status: str
    returned: ReturnView | None


class RecallView(BaseModel):
    """Why a version does not stand any more."""

    kind: RecallKind
    reason: str
    at: datetime
    replaced_by: UUID | None


class RevocationView(BaseModel):
    """A proposal to declare the report void, and what a second person decided."""

    state: RevocationState
    reason: str
    proposed_by: PersonView
    proposed_at: datetime
    decided_by: PersonView | None
    decided_at: datetime | None


class VersionView(BaseModel):
    """A report with its signatures; `status` is the FHIR DiagnosticReport status.

    reviewer: None for a preliminary report, and where one signature is enough.
    recall: None for the version that stands.
    """

    id: UUID
    number: int
    writer: PersonView
    reviewer: PersonView | None
    single_signature: bool
    issued_at: datetime
    pdf_sha256: str
    status: str
    recall: RecallView | None


class WorkitemDetail(WorkitemView):
    """A workitem with all that the reading page shows.

    amending_kind: while `amending`, whether the report's content changes or is only added to.
    """

    amending_kind: AmendmentKind | None
    series: list[SeriesView]
    draft: DraftView | None
    submissions: list[SubmissionView]
    versions: list[VersionView]
    revocation: RevocationView | None
    viewer_url: str


class DeliveryStep(BaseModel):
    """One delivery in the timeline of an exam."""

    id: UUID
    destination: str
    state: str
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    last_error: str | None


class Timeline(BaseModel):
    """When an exam passed each step of its road; None is not yet."""

    first_received_at: datetime
    last_received_at: datetime
    completed_at: datetime | None
    queued_at: datetime
    claimed_at: datetime | None
    submitted_at: datetime | None
    reviewed_at: datetime | None
    preliminary_at: datetime | None
    finalised_at: datetime | None
    delivered_at: datetime | None
    delivery_overdue_at: datetime | None
    unopened_at: datetime | None
    opened_at: datetime | None
    deliveries: list[DeliveryStep]
