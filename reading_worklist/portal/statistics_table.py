"""The figures of a month as a table for a spreadsheet."""

import csv
import io
from typing import Final

from reading_worklist.portal.statistics import ALL, Segment
from reading_worklist.portal.statistics_schemas import MonthView, Rate, StatisticsRow
from reading_worklist.typesetting.labels import Language

_BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it, spreadsheets of the country read UTF-8 as GBK."""
_NOTHING: Final = "–"

_HEADINGS: Final = {
    Language.ZH_CN: (
        "月份",
        "设备类型",
        "送检",
        "已出报告",
        *(
            f"{name}{share}（分钟）"
            for name in ("传输", "候诊", "书写", "审核", "回传", "总时长")
            for share in ("中位数", "P90")
        ),
        *(
            f"{name}{part}"
            for name in (
                "按时报告",
                "重照",
                "未查阅报告",
                "危急值及时确认",
                "胸痛首次接触至心电图10分钟内",
                "图像甲级",
            )
            for part in ("（例）", "（应计）", "（率）")
        ),
    ),
    Language.EN: (
        "Month",
        "Modality",
        "Sent",
        "Reported",
        *(
            f"{name} {share} (min)"
            for name in ("Send", "Queue", "Write", "Review", "Deliver", "Total")
            for share in ("median", "P90")
        ),
        *(
            f"{name} {part}"
            for name in (
                "In time",
                "Retakes",
                "Unopened",
                "Critical values acknowledged in time",
                "First contact to ECG within 10 min",
                "Images of grade A",
            )
            for part in ("(n)", "(of)", "(rate)")
        ),
    ),
}
_EVERY: Final = {Language.ZH_CN: "全部", Language.EN: "All"}


def csv_of(figures: MonthView, language: Language) -> str:
    """Return the figures as CSV with a byte order mark, one line for each modality.

    Times are in minutes; "–" stands where nothing was counted.
    """
    text = io.StringIO()
    text.write(_BYTE_ORDER_MARK)
    table = csv.writer(text)
    table.writerow(_HEADINGS[language])
    for row in figures.rows:
        table.writerow(_line(figures.month, row, language))
    return text.getvalue()


def _line(month: str, row: StatisticsRow, language: Language) -> list[str | int]:
    times = [
        _minutes(value)
        for name in Segment
        for value in (row.segments[name].median, row.segments[name].p90)
    ]
    rates = (row.in_time, row.retakes, row.unopened, row.critical, row.chest_pain, row.grade_a)
    name = _EVERY[language] if row.modality == ALL else row.modality
    shares = [cell for rate in rates for cell in _share(rate)]
    return [month, name, row.sent, row.reported, *times, *shares]


def _minutes(seconds: float | None) -> str:
    return _NOTHING if seconds is None else f"{seconds / 60:.1f}"


def _share(rate: Rate) -> tuple[int, int, str]:
    value = _NOTHING if rate.value is None else f"{rate.value:.1%}"
    return rate.numerator, rate.denominator, value
