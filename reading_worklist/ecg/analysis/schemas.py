"""What the routes of the analysis answer."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from reading_worklist.ecg.analysis.tables import AnalysisState
from reading_worklist.ecg.measured import EcgCorrections, EcgMeasured, EcgQuantity
from reading_worklist.ecg.quality.findings import Code, Severity
from reading_worklist.ecg.schemas import EcgMeasurementView
from reading_worklist.ecg.triage.judge import Assumption
from reading_worklist.ecg.triage.rulesets import Province
from reading_worklist.workitems.schemas import PersonView
from storage.orders.words import Priority


class EcgCheckState(StrEnum):
    """How far the analysis of a study is.

    NONE: it holds no ECG. FAILED: it was given up; somebody has to look after it.
    """

    NONE = "none"
    PENDING = "pending"
    CHECKED = "checked"
    FAILED = "failed"


class EcgQualityFinding(BaseModel):
    """Something wrong with a recording, see `quality.findings`.

    leads: none where it is the recording as a whole. value, threshold: in `unit`, null where it is
    yes or no. source: why from that limit on.
    """

    code: Code
    severity: Severity
    leads: list[str]
    value: float | None
    threshold: float | None
    unit: str
    source: str


class EcgChecked(BaseModel):
    """How well one ECG was recorded.

    repeat: the technician should record again. problem: why there is no result.
    thumbnail: the address of a small picture, null without a signal.
    """

    sop_instance_uid: str
    state: AnalysisState
    problem: str | None
    repeat: bool
    findings: list[EcgQualityFinding]
    usable_leads: list[str]
    analysed_at: datetime
    thumbnail: str | None


class EcgQualityView(BaseModel):
    """How well the ECGs of a study were recorded, in the order of their arrival."""

    state: EcgCheckState
    ecgs: list[EcgChecked]


class EcgHintValue(BaseModel):
    """A value by which a rule is met; what: a lead, or the name of a measured value."""

    what: str
    value: float
    unit: str
    limit: float | None


class EcgHint(BaseModel):
    """A rule that an ECG meets; never a diagnosis.

    text, text_en: the rule with the leads and values that meet it. cites: the list of critical
    values that has the rule. assumptions: what was not known of the patient, so that the lower
    limit held.
    """

    ruleset: str
    code: str
    subject: str
    priority: Priority
    critical: bool
    text: str
    text_en: str
    measured: list[EcgHintValue]
    assumptions: list[Assumption]
    source: str
    cites: str | None


class EcgNotJudged(BaseModel):
    """A rule that could not be judged, and why."""

    ruleset: str
    code: str
    reason: str


class EcgChangedValue(BaseModel):
    """A value before and after a correction."""

    name: str
    before: EcgQuantity
    after: EcgQuantity


class EcgKeptCorrection(BaseModel):
    """What a reader has set by hand; number: from 1 in their order."""

    number: int
    by: PersonView
    at: datetime
    corrections: EcgCorrections
    changed: list[EcgChangedValue]


class EcgAnalysed(EcgChecked):
    """Everything that is known of one ECG.

    measured: with the last corrections; original: without any, null while there are none. Both are
    null where nothing could be measured. hints, not_judged: of `measured`; hints of an earlier
    measurement have raised what they have raised.
    device_measurements, device_statements: the device's own, never replaced.
    """

    method_version: str
    cpu_ms: float
    measured: EcgMeasured | None
    original: EcgMeasured | None
    corrections: list[EcgKeptCorrection]
    rulesets: list[str]
    hints: list[EcgHint]
    not_judged: list[EcgNotJudged]
    critical_value_ids: list[str]
    device_measurements: list[EcgMeasurementView]
    device_statements: list[str]


class EcgAnalysesView(BaseModel):
    """The analyses of a study's ECGs in the order of their arrival."""

    state: EcgCheckState
    ecgs: list[EcgAnalysed]


class EcgCriticalListBody(BaseModel):
    """By which province's list of critical values ECGs are judged."""

    province: Province


class EcgListJudged(BaseModel):
    """A list that may be followed, and what of it we judge ourselves.

    cites: the list of critical values, see `GET /api/critical-values/rulesets`. judged: the codes
        of its rules for which every ECG is looked at; the others are a reader's alone.
    """

    province: Province
    cites: str
    judged: list[str]


class EcgCriticalListView(EcgCriticalListBody):
    """The list that is followed, and those that may be chosen."""

    lists: list[EcgListJudged]


class EcgMark(BaseModel):
    """What a line of a list shows of a study's ECGs: hints, and whether to record again.

    hints: of all its ECGs, each text once, the most urgent first. failed: an ECG could not be
    analysed.
    """

    repeat: bool
    failed: bool
    hints: list[str]
    hints_en: list[str]
    thumbnail: str | None
