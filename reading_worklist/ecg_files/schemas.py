"""What the API says of ECG files."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from storage.ecg_files.formats import EcgFormat
from storage.ecg_files.tables import EcgFileState, EcgFileWay


class EcgFileProblem(BaseModel):
    """Why a file could not be read; code names the kind, the rest is in plain English."""

    code: str
    what: str
    expected: str = ""
    found: str = ""
    remedy: str = ""


class EcgFileSummary(BaseModel):
    """What a file holds, as its device wrote it.

    acquired_at: the device's clock, ISO 8601, with an offset only where the device states one.
    notes: what had to be read leniently.
    """

    acquired_at: str | None = None
    seconds: float
    leads: list[str]
    notes: list[str] = []
    patient_name: str = ""


class EcgFileView(BaseModel):
    """One ECG file and what became of it.

    state: RECEIVED: it has not been looked at; NEEDS_PATIENT: say whose it is; FILED: an ECG in the
        worklist; DOCUMENT: a printed one; UNREADABLE: kept, see problem; REFUSED: not kept.
    workitem_id: of its reading, once it is queued; only where the reader may see it.
    """

    id: UUID
    site: str
    state: EcgFileState
    format: EcgFormat | None
    file_name: str
    way: EcgFileWay
    size: int
    sha256: str
    received_at: datetime
    settled_at: datetime | None
    problem: EcgFileProblem | None
    summary: EcgFileSummary | None
    study_instance_uid: str | None
    sop_instance_uid: str | None
    workitem_id: UUID | None


class EcgFilePage(BaseModel):
    """Files, newest first; waiting: how many of the site's wait for somebody to say whose they are.

    more: whether older ones follow.
    """

    items: list[EcgFileView]
    waiting: int
    more: bool


class ChosenPatientBody(BaseModel):
    """A patient of the site, as its people know them."""

    patient_id: str = Field(
        min_length=1, max_length=64, pattern=r"^[^\\\x00-\x1f]*[^\\\x00-\x1f 0]"
    )
    name: str = Field(min_length=1, max_length=64, pattern=r"^[^\\\x00-\x1f]+$")
    birth_date: date | None = None
    sex: Literal["M", "F", "O", ""] = ""


class WhoseBody(BaseModel):
    """Whose a file is: an order of the site, or a patient; the order comes first."""

    order_id: UUID | None = None
    patient: ChosenPatientBody | None = None
