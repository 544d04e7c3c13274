"""Organs that this patient or this exam cannot show.

Of the other sex, of another body part, of the other side, or removed and yet normal.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.reports.checks.findings import (
    CheckedReport,
    Code,
    ExamFacts,
    Examined,
    Finding,
    Part,
    Severity,
    Source,
    at,
)
from reading_worklist.reports.checks.lexicon import lexicon
from reading_worklist.reports.checks.sentences import OrganMention, Statements, read

_ABSENT: Final = re.compile(
    r"^.{0,4}?(?:缺如|阙如|(?:全|已|已经)?切除|摘除|未见显示)"
    r"|^ ?(?:is |are |has been |have been )?(?:surgically )?(?:absent|removed|resected)"
)
_PARTLY: Final = re.compile(
    r"^.{0,6}?(?:部分|次全|楔形|大部|局部|肿瘤|肿物|息肉|结石|囊肿|病灶|结节)"
    r"|^ ?(?:is |has been )?partial"
)
_ABSENT_BEFORE: Final = re.compile(r"(?:surgically absent|absent|removed|resected) (?:the )?$")
_PARTIAL_OPERATION: Final = re.compile(r"(?:partial|subtotal|simple cyst) (?:\w+ )?$")
_REACH: Final = 30
_SHOWN_MAX: Final = 10
_ORGANS_OF_SIDE: Final = frozenset({"lung", "pleura", "rib", "brain"})
"""Paired organs that every image of their region shows on both sides."""


def check(report: CheckedReport, exam: ExamFacts) -> Iterator[Finding]:
    """Find organs that contradict the patient or the exam."""
    told: dict[Part, Statements] = {part: read(text) for part, text in report.texts()}
    yield from _other_sex(told, exam.sex)
    yield from _other_region(told["findings"], exam.examined)
    yield from _other_side(told, exam.examined)
    yield from _absent_and_normal(told, exam.history)


def _other_sex(told: dict[Part, Statements], sex: str) -> Iterator[Finding]:
    """A normal uterus in a man is certainly another's text; that one is named may have reasons."""
    if sex not in {"M", "F"}:
        return
    for part, said in told.items():
        for mention in said.organs:
            has = mention.organ.sex
            if not has or has == sex or mention.negated or _absence(said, mention):
                continue
            severity = Severity.BLOCK if mention.normal and not mention.past else Severity.WARN
            yield at(
                Code.OTHER_SEX_ORGAN,
                severity,
                part,
                said.text,
                mention.span,
                expected=sex,
                found=has,
            )


def _other_region(said: Statements, examined: Examined) -> Iterator[Finding]:
    """Organs of another body part; the body part of a header alone is too often wrong to block.

    Of 2002's images from routine 15 % had a wrong Body Part Examined (Güld et al., "Quality of
    DICOM header information for image categorization", SPIE 4685): it is what the protocol was
    made for.
    """
    regions = examined.regions
    if not regions:
        return
    beside = frozenset[str]().union(*(lexicon().beside.get(one, frozenset()) for one in regions))
    own = [one for one in said.organs if one.organ.region in regions | beside]
    strangers = [
        one for one in said.organs if one.organ.region not in regions | beside and not one.past
    ]
    certain = examined.regions_by is Source.ORDER and not own
    severity = Severity.BLOCK if certain else Severity.WARN
    for mention in _first_of_each(strangers):
        yield at(
            Code.WRONG_ORGAN,
            severity,
            "findings",
            said.text,
            mention.span,
            expected=",".join(sorted(regions)),
            found=mention.organ.region,
        )


def _other_side(told: dict[Part, Statements], examined: Examined) -> Iterator[Finding]:
    """The side that was not examined."""
    side = examined.laterality
    if side not in {"L", "R"}:
        return
    other = "R" if side == "L" else "L"
    for part in ("findings", "impression"):
        said = told[part]
        sided = [
            one
            for one in said.organs
            if one.organ.paired
            and one.organ.name not in _ORGANS_OF_SIDE
            and (not examined.regions or one.organ.region in examined.regions)
        ]
        right_one = any(one.side in {side, "B"} for one in sided)
        wrong = [one for one in sided if one.side == other and not one.compared]
        certain = examined.laterality_by is Source.ORDER and not right_one
        for mention in _first_of_each(wrong):
            yield at(
                Code.WRONG_SIDE,
                Severity.BLOCK if certain else Severity.WARN,
                part,
                said.text,
                mention.span,
                expected=side,
                found=other,
            )


@dataclass(frozen=True, slots=True)
class _Absence:
    """An organ that is not there any more. side: which; empty for the only one, or all."""

    organ: str
    side: str


def _absent_and_normal(told: dict[Part, Statements], history: str) -> Iterator[Finding]:
    """An organ told to be absent and told to be normal.

    Within the report it is certain; against what the requester wrote it is to be confirmed.
    """
    own = {one for said in told.values() for one in _absences(said)}
    before = set(_absences(read(history))) - own
    for part, said in told.items():
        shown = 0
        for mention in said.organs:
            if not mention.normal or _absence(said, mention) or shown == _SHOWN_MAX:
                continue
            for absences, severity in ((own, Severity.BLOCK), (before, Severity.WARN)):
                if any(_same(mention, one) for one in absences):
                    shown += 1
                    yield at(
                        Code.ABSENT_NORMAL,
                        severity,
                        part,
                        said.text,
                        mention.span,
                        found=mention.organ.name,
                    )
                    break


def _same(mention: OrganMention, absence: _Absence) -> bool:
    if mention.organ.name != absence.organ:
        return False
    if not mention.organ.sided or not absence.side or absence.side == "B":
        return True
    return mention.side in {absence.side, "B"}


def _absences(said: Statements) -> Iterator[_Absence]:
    for mention in said.organs:
        if _absence(said, mention) and _whole(mention):
            yield _Absence(mention.organ.name, mention.side)
    for match in lexicon().removal_pattern.finditer(said.told):
        before = said.told[max(match.start() - _REACH, 0) : match.start()]
        if _PARTIAL_OPERATION.search(before):
            continue
        left, right = "left " in before, "right " in before
        side = "L" if left and not right else "R" if right and not left else ""
        yield _Absence(lexicon().removal_of[match.group()], side)


def _absence(said: Statements, mention: OrganMention) -> bool:
    after = said.told[mention.span[1] : mention.span[1] + _REACH]
    if _PARTLY.match(after):
        return False
    before = said.told[max(mention.span[0] - _REACH, 0) : mention.span[0]]
    return bool(_ABSENT.match(after) or _ABSENT_BEFORE.search(before))


def _whole(mention: OrganMention) -> bool:
    """Whether all of an organ is gone: 肾切除 of a paired one without a side is not known."""
    if not mention.organ.paired:
        return True
    return mention.side != ""


def _first_of_each(mentions: Iterable[OrganMention]) -> Sequence[OrganMention]:
    """Return the first mention of each organ, a few at most."""
    first: dict[tuple[str, str], OrganMention] = {}
    for one in mentions:
        first.setdefault((one.organ.name, one.side), one)
        if len(first) == _SHOWN_MAX:
            break
    return list(first.values())
