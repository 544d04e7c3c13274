"""What a channel is handed, without a database behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydicom.dataset import Dataset

from pacs_gateway.returns.channels import Replaced
from storage.issued_reports import IssuedReport
from storage.report_status import IssuedKind
from tests.support.issued import issued_report

DELIVERY = UUID("5f0f6f58-6a0c-4c5e-8f4e-0000000000c1")


@dataclass
class GivenParcel:
    """A parcel with a given report."""

    given: IssuedReport = field(default_factory=issued_report)
    earlier: Sequence[IssuedReport] = ()
    document: bytes = b"%PDF-1.7 signed"
    delivery_id: UUID = DELIVERY
    attempt_number: int = 1
    transmission: int = 0
    objects: Sequence[Dataset] = ()
    noted: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def report_version_id(self) -> UUID:
        return self.given.report_version_id

    @property
    def workitem_id(self) -> UUID:
        return self.given.workitem_id

    @property
    def study_id(self) -> UUID:
        return self.given.study_id

    @property
    def version_number(self) -> int:
        return self.given.version_number

    @property
    def is_notice(self) -> bool:
        return self.given.kind is IssuedKind.NOTICE

    @property
    def title(self) -> str:
        return self.given.title

    @property
    def issued_at(self) -> datetime:
        return self.given.times.issued

    @property
    def sop_instance_uid(self) -> str:
        return "1.2.3"

    @property
    def replaces(self) -> tuple[Replaced, ...]:
        return tuple(
            Replaced(one.report_version_id, one.version_number, "1.2.3") for one in self.earlier
        )

    def report(self) -> IssuedReport:
        return self.given

    def replaced_reports(self) -> list[IssuedReport]:
        return list(self.earlier)

    def pdf(self) -> bytes:
        return self.document

    def instances(self) -> list[Dataset]:
        return list(self.objects)

    def taken(self) -> frozenset[str]:
        return frozenset(self.noted)

    def note_taken(self, sop_instance_uid: str, answer: str) -> None:
        self.noted[sop_instance_uid] = answer
