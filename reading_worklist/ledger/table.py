"""The ledger as a table for a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from reading_worklist.ledger.schemas import Kept, LedgerLine
from reading_worklist.ledger.stuck import Mender, Stuck
from reading_worklist.portal.road import ExamStep
from reading_worklist.typesetting.labels import Language
from storage.deliveries import DeliveryState

_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, spreadsheets of the country read UTF-8 as GBK."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_HEADINGS: Final = {
    Language.ZH_CN: (
        "送检机构", "患者", "患者编号", "检查号", "设备类型", "检查", "当前环节",
        "申请", "签到", "检查完成", "首幅图像到达", "图像收齐", "可删原图",
        "入队", "领取", "书写签名", "审核签名", "报告版本", "送达", "各目的地",
        "查阅人", "查阅时间", "召回（份）", "召回未确认（份）", "卡在何处", "自何时起", "由谁处理",
    ),
    Language.EN: (
        "Site", "Patient", "Patient ID", "Accession", "Modality", "Exam", "Step",
        "Ordered", "Checked in", "Acquired", "First image here", "All images here", "Images kept",
        "Queued", "Claimed", "Written", "Reviewed", "Report version", "Delivered", "Destinations",
        "Opened by", "Opened", "Recalls", "Recalls open", "Stuck", "Since", "Who can mend it",
    ),
}  # fmt: skip
_STEPS: Final = {
    Language.ZH_CN: dict(
        zip(
            ExamStep,
            (
                "已申请",
                "已签到",
                "已检查",
                "接收中",
                "待诊断",
                "诊断中",
                "已签发",
                "已送达",
                "已查阅",
            ),
            strict=True,
        )
    ),
    Language.EN: {step: step.value.replace("_", " ") for step in ExamStep},
}
_KEPT: Final = {
    Language.ZH_CN: {Kept.NOT_YET: "否", Kept.STORED: "已存（数量未核）", Kept.COUNTED: "是"},
    Language.EN: {Kept.NOT_YET: "no", Kept.STORED: "stored, not counted", Kept.COUNTED: "yes"},
}
_STATES: Final = {
    Language.ZH_CN: dict(
        zip(
            DeliveryState,
            ("等待发送", "发送中", "已送达", "被拒收", "已暂停", "已取消"),
            strict=True,
        )
    ),
    Language.EN: {state: state.value.replace("_", " ").lower() for state in DeliveryState},
}
_STUCK: Final = {
    Language.ZH_CN: dict(
        zip(
            Stuck,
            (
                "预约已过未签到", "签到后未检查", "检查后图像未到", "图像到达后未归档", "图像缺少",
                "身份待核", "重拍未答复", "无人领取", "报告超时", "未送达", "被拒收", "发送已暂停",
                "机构未收到", "逾期未打开", "召回未确认",
            ),
            strict=True,
        )
    ),
    Language.EN: {rule: rule.value.replace("_", " ") for rule in Stuck},
}  # fmt: skip
_MENDERS: Final = {
    Language.ZH_CN: dict(
        zip(Mender, ("基层技师", "基层医师", "诊断医师", "调度", "系统管理员"), strict=True)
    ),
    Language.EN: {mender: mender.value.replace("_", " ") for mender in Mender},
}


def heading(language: Language) -> str:
    """Return the first line, with a byte order mark before it."""
    return _BYTE_ORDER_MARK + _row(_HEADINGS[language])


def line(one: LedgerLine, language: Language, zone: ZoneInfo) -> str:
    """Return a line as CSV; times to the minute in `zone`, empty where there is none."""

    def at(time: datetime | None) -> str:
        return "" if time is None else time.astimezone(zone).strftime("%Y-%m-%d %H:%M")

    steps = one.steps
    english = language is Language.EN
    return _row(
        (
            (one.site.name_en or one.site.name) if english else one.site.name,
            (one.patient.latin_name or one.patient.name) if english else one.patient.name,
            one.patient.local_id or "",
            one.study.accession_number or "",
            " ".join(one.study.modalities),
            one.study.description or "",
            _STEPS[language][one.step],
            at(steps.ordered_at),
            at(steps.checked_in_at),
            at(steps.acquired_at),
            at(steps.received_at),
            at(steps.complete_at),
            _KEPT[language][one.kept] if one.kept else "",
            at(steps.queued_at),
            at(steps.reading_since),
            at(one.written_at),
            at(one.reviewed_at),
            str(one.report_version or ""),
            at(steps.delivered_at),
            "; ".join(
                f"{each.destination}: {_STATES[language][each.state]}" for each in one.deliveries
            ),
            one.opened_by or "",
            at(steps.opened_at),
            str(one.recalls or ""),
            str(one.recalls_open or ""),
            "; ".join(_STUCK[language][each.rule] for each in one.stuck),
            at(min((each.since for each in one.stuck), default=None)),
            "; ".join(dict.fromkeys(_MENDERS[language][each.mender] for each in one.stuck)),
        )
    )


def _row(cells: Sequence[str]) -> str:
    text = io.StringIO()
    # What a spreadsheet would take for a formula is text: names come from whoever sends images.
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()
