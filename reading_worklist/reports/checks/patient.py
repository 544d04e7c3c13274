"""Another patient's name, sex or age in the text."""

import re
from collections.abc import Iterator
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
from storage.person_name import canonical

# Only words that introduce a name are trusted: any two characters may be a name.
_NAME: Final = re.compile(
    r"(?:患者姓名|病人姓名|姓名) ?[::] ?(?P<labelled>[\u3400-\u9fff·]{2,12})"
    r"|(?:患者|病人)(?P<stated>[\u3400-\u9fff·]{2,4})[,，、 ] ?(?=男|女)"
    r"|(?<![a-z])(?:patient name|name of patient) ?[::] ?(?P<latin>[a-z][a-z '\-]{1,60}[a-z])"
)
_NO_NAME: Final = re.compile(r"^(?:为|系|是|老年|中年|青年|成年|本人|主诉|自述|无|未)")
_SEX: Final = re.compile(
    r"(?:患者|病人|性别)[\u3400-\u9fff·]{0,6}[::,，、 ]{0,3}(?P<zh>男|女)(?!方|友|儿|科|朋|婴)"
    r"|(?P<aged>男|女)性?[,，、 ]{0,2}\d{1,3} ?岁|(?P<zh_sex>男|女)性(?:患者|病人)"
    r"|(?<![a-z])(?:year|month|week|day)[- ]old "
    r"(?P<en>male|female|man|woman|boy|girl|gentleman|lady)(?![a-z])"
    r"|(?<![a-z])(?P<en_sex>male|female) patient|sex ?[::] ?(?P<en_label>male|female)(?![a-z])"
)
_AGE: Final = re.compile(
    r"年龄 ?[::] ?(?P<label>\d{1,3}) ?岁?(?!个?月|天)"
    r"|(?:男|女)性?[,，、 ]{0,2}(?P<aged>\d{1,3}) ?岁"
    r"|(?<!\d)(?P<en>\d{1,3})[- ]year[- ]old (?:male|female|man|woman|patient)"
    r"|(?<![a-z])age ?[::] ?(?P<en_label>\d{1,3})(?!\d)"
)
_FEMALE: Final = frozenset({"女", "female", "woman", "girl", "lady"})
_AGE_TOLERATED: Final = 2.0
"""Years: 虚岁 counts up to two more, and a birthday may lie between order and exam."""
_AGE_DOUBTED: Final = 5.0
"""Years of difference below which the birth date may be the one that is wrong."""


def check(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    """Find statements about the patient that the exam contradicts."""
    for part, text in report.texts():
        told = plain(text)
        yield from _names(part, text, told, exam)
        yield from _sexes(part, text, told, exam)
        yield from _ages(part, text, told, exam)


def _names(part: Part, text: str, told: str, exam: ExamFacts) -> Iterator[Finding]:
    known = {canonical(name) for name in exam.names if canonical(name)}
    if not known:
        return
    for match in _NAME.finditer(told):
        group = next(name for name in ("labelled", "stated", "latin") if match[name])
        named = canonical(match[group])
        if _NO_NAME.match(named):
            continue
        # 姓名：张三女 and the like: the label's words go on without a delimiter.
        fits = any(
            named.startswith(name) or sorted(named) == sorted(name) or name in named
            for name in known
        )
        if not fits:
            yield at(
                Code.WRONG_NAME,
                Severity.BLOCK,
                part,
                text,
                match.span(group),
                expected=exam.names[0],
                found=text[slice(*match.span(group))],
            )


def _sexes(part: Part, text: str, told: str, exam: ExamFacts) -> Iterator[Finding]:
    if exam.sex not in {"M", "F"}:
        return
    for match in _SEX.finditer(told):
        group, word = next((name, one) for name, one in match.groupdict().items() if one)
        sex = "F" if word in _FEMALE else "M"
        if sex != exam.sex:
            yield at(
                Code.WRONG_SEX,
                Severity.BLOCK,
                part,
                text,
                (match.start(), match.end(group)),
                expected=exam.sex,
                found=sex,
            )


def _ages(part: Part, text: str, told: str, exam: ExamFacts) -> Iterator[Finding]:
    if exam.age_years is None:
        return
    for match in _AGE.finditer(told):
        group, word = next((name, one) for name, one in match.groupdict().items() if one)
        off = abs(int(word) - exam.age_years)
        if off > _AGE_TOLERATED:
            yield at(
                Code.WRONG_AGE,
                Severity.BLOCK if off > _AGE_DOUBTED else Severity.WARN,
                part,
                text,
                match.span(group),
                expected=f"{int(exam.age_years)}",
                found=word,
            )
