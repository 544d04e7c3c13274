"""An impression that says the opposite of the findings: another side, or there and not there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reading_worklist.reports.checks.findings import CheckedReport, Code, Finding, Severity, at
from reading_worklist.reports.checks.lexicon import lexicon
from reading_worklist.reports.checks.normality import says_normal
from reading_worklist.reports.checks.sentences import LesionMention, Polarity, Statements, read

_SHOWN_MAX: Final = 10
_ONE_SIDE: Final = frozenset({"L", "R"})


def check(report: CheckedReport) -> Iterator[Finding]:
    """Find what the impression and the findings cannot both be right about."""
    findings, impression = read(report.findings), read(report.impression)
    known = _Known.of(findings)
    shown = 0
    told: set[tuple[str, str, str]] = set()
    for mention in impression.lesions:
        found = _side(impression, known, mention) or _polarity(impression, known, mention)
        if found is None or (found.code, mention.lesion, mention.side) in told:
            continue
        told.add((found.code, mention.lesion, mention.side))
        yield found
        shown += 1
        if shown == _SHOWN_MAX:
            break
    yield from _nothing_abnormal(report, findings, impression)


@dataclass(frozen=True, slots=True)
class _Known:
    """The lesions of the findings, by what is asked of them.

    sides: of an organ's lesions that are there; sides_of: of one lesion of it.
    stated, denied: the (lesion, organ) of what is there and is not; open: of what is not plain.
    """

    sides: Mapping[str, set[str]]
    sides_of: Mapping[tuple[str, str], set[str]]
    stated: Mapping[str, Sequence[LesionMention]]
    denied: Mapping[tuple[str, str], set[str]]
    open: frozenset[str]

    @classmethod
    def of(cls, said: Statements) -> "_Known":
        sides: defaultdict[str, set[str]] = defaultdict(set)
        sides_of: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        stated: defaultdict[str, list[LesionMention]] = defaultdict(list)
        denied: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        unclear: set[str] = set()
        for one in said.lesions:
            organ = one.organ.name if one.organ else ""
            if one.polarity is Polarity.NEGATED:
                denied[one.lesion, organ].add(one.side)
                continue
            if one.polarity is Polarity.UNCERTAIN:
                unclear.add(one.lesion)
            else:
                stated[one.lesion].append(one)
            if organ:
                sides[organ].add(one.side)
                sides_of[one.lesion, organ].add(one.side)
        return cls(sides, sides_of, stated, denied, frozenset(unclear))


def _side(said: Statements, known: _Known, mention: LesionMention) -> Finding | None:
    """An organ's lesion on one side here, and only on the other one in the findings."""
    if mention.organ is None or mention.polarity is Polarity.NEGATED or mention.side == "":
        return None
    organ = mention.organ.name
    same = known.sides_of.get((mention.lesion, organ), set())
    sides = same or known.sides.get(organ, set())
    if not sides <= _ONE_SIDE or not sides or mention.side in sides:
        return None
    both_here = mention.side == "B"
    if both_here and len(sides) > 1:
        return None
    return at(
        Code.SIDE_CONTRADICTS,
        # Another lesion of the organ may be on another side, and one of both be told shortly.
        Severity.BLOCK if same and not both_here else Severity.WARN,
        "impression",
        said.text,
        mention.span,
        expected=",".join(sorted(sides)),
        found=mention.side,
    )


def _polarity(said: Statements, known: _Known, mention: LesionMention) -> Finding | None:
    """A lesion that is there here and not there in the findings, or the other way round."""
    if mention.past or mention.polarity is Polarity.UNCERTAIN:
        return None
    organ = mention.organ.name if mention.organ else ""
    if mention.polarity is Polarity.AFFIRMED:
        if mention.lesion in known.stated or mention.lesion in known.open:
            return None
        denied = known.denied.get((mention.lesion, organ))
        if denied and (mention.side in denied or "" in denied or "B" in denied):
            severity = Severity.BLOCK if organ else Severity.WARN
        elif any(lesion == mention.lesion for lesion, _ in known.denied):
            severity = Severity.WARN
        else:
            return None
        expected, found = Polarity.NEGATED, Polarity.AFFIRMED
    else:
        stated = [one for one in known.stated.get(mention.lesion, ()) if not one.past]
        if not stated:
            return None
        exact = organ and any(
            one.organ is not None and one.organ.name == organ and _meets(one.side, mention.side)
            for one in stated
        )
        if organ and not exact and all(one.organ for one in stated):
            return None
        severity = Severity.BLOCK if exact else Severity.WARN
        expected, found = Polarity.AFFIRMED, Polarity.NEGATED
    return at(
        Code.POLARITY_CONTRADICTS,
        severity,
        "impression",
        said.text,
        mention.span,
        expected=expected,
        found=found,
    )


def _meets(stated: str, denied: str) -> bool:
    return stated == denied or denied in {"", "B"}


def _nothing_abnormal(
    report: CheckedReport, findings: Statements, impression: Statements
) -> Iterator[Finding]:
    """Nothing abnormal, says the impression, and the findings have a lesion.

    Small ones are passed over for good reasons, so that it is asked only; a fresh fracture or
    haemorrhage is not one of them.
    """
    if not says_normal(report.impression):
        return
    fresh = [
        one
        for one in findings.lesions
        if one.polarity is Polarity.AFFIRMED and not one.past and not one.hedged
    ]
    major = [one for one in fresh if one.lesion in lexicon().major_lesions]
    if not fresh:
        return
    one = (major or fresh)[0]
    # "No acute abnormality" leaves room for what is not acute.
    limited = any(word in impression.told for word in ("acute", "急性", "明显"))
    certain = bool(major) and not limited
    yield at(
        Code.NORMAL_CONTRADICTS,
        Severity.BLOCK if certain else Severity.WARN,
        "findings",
        findings.text,
        one.span,
    )
