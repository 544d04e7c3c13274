"""Numbers and units that cannot be, or hardly can."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    ExamFacts,
    Finding,
    Part,
    Severity,
    at,
)
from reading_worklist.reports.checks.lexicon import plain

_LENGTH: Final = re.compile(
    r"(?<![0-9.])(?P<first>[0-9]{1,6}(?:\.[0-9]{1,4})?)"
    r"(?P<more>(?: ?(?:mm|cm)? ?[x×*] ?[0-9]{1,6}(?:\.[0-9]{1,4})?){0,2})"
    r" ?(?P<unit>mm|cm|毫米|厘米)(?![a-z²³2-3/])"
)
_NUMBER: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,4})?")
_MIXED: Final = re.compile(r"[0-9] ?mm ?[x×*] ?[0-9.]{1,8} ?cm|[0-9] ?cm ?[x×*] ?[0-9.]{1,8} ?mm")
_HOUNSFIELD: Final = re.compile(r"(?<![0-9.])(?P<value>-?[0-9]{1,6}(?:\.[0-9]{1,4})?) ?hu(?![a-z])")
_PERCENT: Final = re.compile(
    r"狭窄[^,，。;；\n]{0,12}?(?P<value>[0-9]{1,6}(?:\.[0-9]{1,4})?) ?%"
    r"|(?P<en>[0-9]{1,6}(?:\.[0-9]{1,4})?) ?% (?:stenosis|narrowing)"
)
_NODULE: Final = re.compile(r"结节|(?<![a-z])nodules?(?![a-z])")
_CLAUSE_REACH: Final = 24
_BODY_MM: Final = 2_000.0
"""Longer than any part of a person that is imaged."""
_LESION_MM: Final = 400.0
_NODULE_MM: Final = 30.0
"""From three centimetres on a nodule is called a mass (Fleischner Society glossary, 2008)."""
_AIR_HU: Final = -1_100.0
_METAL_HU: Final = 32_767.0
_WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class _Interval:
    """An ECG measure: which words name it, and in ms (or per minute) what can be."""

    pattern: re.Pattern[str]
    unit: str
    possible: tuple[float, float]
    usual: tuple[float, float]


def _interval(words: str, unit: str, possible: tuple[float, float], usual: tuple[float, float]):  # noqa: ANN202
    return _Interval(
        re.compile(
            rf"(?<![a-z])(?:{words})[^0-9,，。;；\n]{{0,8}}?(?P<value>[0-9]{{1,6}}(?:\.[0-9]{{1,4}})?)"
            r" ?(?P<unit>ms|毫秒|s|秒|次/分|bpm|/min)?(?![a-z0-9])"
        ),
        unit,
        possible,
        usual,
    )


_ECG: Final = (
    _interval("心率|心室率|hr|heart rate|ventricular rate", "rate", (10, 400), (20, 300)),
    _interval("p-?r ?间期|p-?r(?: interval)?", "ms", (20, 800), (60, 500)),
    _interval("qrs ?(?:时限|波群|间期)|qrs(?: duration)?", "ms", (20, 400), (40, 260)),
    _interval("qtc ?间期|qtc(?: interval)?", "ms", (100, 1000), (250, 700)),
    _interval("qt ?间期|qt(?: interval)?", "ms", (100, 1000), (180, 700)),
)
_SECONDS: Final = frozenset({"s", "秒"})


def check(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    """Find numbers that cannot be (certain) or hardly can (to be confirmed)."""
    for part, text in report.texts():
        told = plain(text)
        yield from _lengths(part, text, told)
        yield from _others(part, text, told)
        if exam.is_ecg:
            yield from _intervals(part, text, told)


def _lengths(part: Part, text: str, told: str) -> Iterator[Finding]:
    for match in _MIXED.finditer(told):
        yield at(Code.UNIT, Severity.WARN, part, text, match.span(), found="mm × cm")
    for match in _LENGTH.finditer(told):
        factor = 10.0 if match["unit"] in {"cm", "厘米"} else 1.0
        values = [float(one) for one in _NUMBER.findall(match["first"] + " " + match["more"])]
        longest = max(values) * factor
        before = told[max(match.start() - _CLAUSE_REACH, 0) : match.start()]
        near = re.split(r"[,，。;；\n]", before)[-1] if _NODULE.search(before) is None else before
        if longest > _BODY_MM:
            severity, limit = Severity.BLOCK, _BODY_MM
        elif longest > _LESION_MM:
            severity, limit = Severity.WARN, _LESION_MM
        elif _NODULE.search(near) and factor > 1 and longest > _NODULE_MM:
            severity, limit = Severity.WARN, _NODULE_MM
        else:
            continue
        yield at(
            Code.UNIT if severity is Severity.WARN and limit == _NODULE_MM else Code.NUMBER,
            severity,
            part,
            text,
            match.span(),
            expected=f"≤ {limit:g} mm",
            found=f"{longest:g} mm",
        )


def _others(part: Part, text: str, told: str) -> Iterator[Finding]:
    for match in _HOUNSFIELD.finditer(told):
        value = float(match["value"])
        if not _AIR_HU <= value <= _METAL_HU:
            expected = f"{_AIR_HU:g}…{_METAL_HU:g} HU"
            yield at(Code.NUMBER, Severity.BLOCK, part, text, match.span(), expected=expected)
    for match in _PERCENT.finditer(told):
        if float(match["value"] or match["en"]) > _WHOLE:
            yield at(Code.NUMBER, Severity.BLOCK, part, text, match.span(), expected="≤ 100 %")


def _intervals(part: Part, text: str, told: str) -> Iterator[Finding]:
    for one in _ECG:
        for match in one.pattern.finditer(told):
            value, unit = float(match["value"]), match["unit"] or ""
            if one.unit == "ms" and unit not in {"ms", "毫秒", *_SECONDS}:
                continue
            told_ms = value * 1000 if unit in _SECONDS and one.unit == "ms" else value
            low, high = one.possible
            if low <= told_ms <= high:
                low, high = one.usual
                if low <= told_ms <= high:
                    continue
                severity = Severity.WARN
            else:
                severity = Severity.BLOCK
            suffix = "ms" if one.unit == "ms" else "/min"
            yield at(
                Code.NUMBER,
                severity,
                part,
                text,
                match.span(),
                expected=f"{low:g}–{high:g} {suffix}",
                found=f"{told_ms:g} {suffix}",
            )
