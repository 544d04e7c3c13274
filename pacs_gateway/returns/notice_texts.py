"""What a notice says: that a report is there to be read, and nothing of whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from storage.issued_reports import IssuedReport
from storage.report_status import IssuedKind

Language = Literal["zh-CN", "en"]
_NUMBER_LENGTH: Final = 8
_EVENTS: Final[Mapping[Language, Mapping[IssuedKind, str]]] = {
    "zh-CN": {
        IssuedKind.PRELIMINARY: "有一份临时报告可以查看",
        IssuedKind.REPORT: "有一份诊断报告可以查看",
        IssuedKind.AMENDMENT: "有一份诊断报告已修订，请以新报告为准",
        IssuedKind.ADDENDUM: "有一份诊断报告有补充，请查看",
        IssuedKind.NOTICE: "有一份诊断报告已作废，请勿再使用",
    },
    "en": {
        IssuedKind.PRELIMINARY: "A preliminary report is ready",
        IssuedKind.REPORT: "A report is ready",
        IssuedKind.AMENDMENT: "A report was amended; please use the new one",
        IssuedKind.ADDENDUM: "Something was added to a report; please read it",
        IssuedKind.NOTICE: "A report was declared void; please do not use it any more",
    },
}


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice in words. number: of the exam with us, which says nothing of the patient."""

    subject: str
    text: str
    site: str
    centre: str
    number: str
    link: str


def notice_text(report: IssuedReport, language: Language, web_address: str) -> NoticeText:
    """Return the notice of a report; without a web address it has no link."""
    number = exam_number(report.workitem_id)
    link = f"{web_address}/portal/{report.workitem_id}" if web_address else ""
    event = _EVENTS[language][report.kind]
    if language == "en":
        site = report.site.name_en or report.site.name
        centre = report.centre.name_en or report.centre.name
        text = f"{site}: {event} (exam {number})."
        text += f" Sign in to read it: {link}" if link else " Sign in to read it."
    else:
        site, centre = report.site.name, report.centre.name
        text = f"{site}：{event}（检查编号 {number}）。"
        text += f"请登录查看：{link}" if link else "请登录系统查看。"
    return NoticeText(f"{event} · {number}", text, site, centre, number, link)


def test_text(language: Language, centre: str) -> NoticeText:
    """Return what people are told when a destination is tried. centre: our name, or ""."""
    if language == "en":
        subject = "Test of the notices of reports"
        text = "This is a test: notices of the diagnostic centre reach you. Nothing has to be done."
    else:
        subject = "报告通知测试"
        text = "这是一条测试通知：诊断中心的报告通知可以送达，无需处理。"
    return NoticeText(subject, text, "", centre, "TEST", "")


def exam_number(workitem_id: UUID) -> str:
    """Return the beginning of our id of the exam, for a person to read out."""
    return workitem_id.hex[:_NUMBER_LENGTH].upper()
