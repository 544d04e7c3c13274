"""What a template left behind: a place that nobody filled, a choice that nobody made."""

import re
from collections.abc import Iterator
from typing import Final

from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    Finding,
    Severity,
    at,
)
from reading_worklist.reports.checks.lexicon import plain

PLACEHOLDER: Final = re.compile(
    # {大小 mm} is how our own templates mark a place; the rest is what people use for one.
    r"\{[^{}\n]{0,80}\}|_{2,}|\*{3,}|□|×{2,}|\?{3,}|…{2,}(?= *[cm]m)"
    r"|(?<![a-z0-9])x{2,}(?= *(?:[cm]m|次|岁|年|月|日|级|段|叶|[*×]))"
    r"|<(?:填写|请填|插入|insert)[^<>\n]{0,40}>"
    r"|(?<=[\u4e00-\u9fff ])-{3,}(?= *[cm]m)"
)
_CHOICE: Final = re.compile(
    r"有/无|无/有|(?<!\d)左/右(?!房|室|心|径|侧?比)|右/左(?!房|室|心|径|侧?比)|增大/缩小|阳性/阴性|阴性/阳性|是/否"
    r"|请(?:选择|填写|输入|补充)|待(?:补充|填写)|\[ +\]|\( {2,}\)"
    r"|(?<![a-z])(?:todo|tbd|right/left|left/right|yes/no|present/absent|select one|\[insert)"
    r"(?![a-z])"
)
_SHOWN_MAX: Final = 20
"""Places of one text that are told; whoever mends these sees the rest."""


def check(report: CheckedReport) -> Iterator[Finding]:
    """Find places that nobody filled (certain) and choices that look open (to be confirmed)."""
    for part, text in report.texts():
        told = plain(text)
        for pattern, code, severity in (
            (PLACEHOLDER, Code.PLACEHOLDER, Severity.BLOCK),
            (_CHOICE, Code.OPEN_CHOICE, Severity.WARN),
        ):
            for number, match in enumerate(pattern.finditer(told)):
                if number == _SHOWN_MAX:
                    break
                yield at(code, severity, part, text, match.span())
