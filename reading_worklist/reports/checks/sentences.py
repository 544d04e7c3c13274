"""What a report's text says: organs with their side, lesions, and whether they are there or not.

Radiology reports are short clauses of a small language. A Chinese negation (未见, 无) holds for
what follows it up to the next comma, with 、及或和 between; an English one (no, without) up to the
comma as well, and further where an "or" shows that the list goes on. What is not plain is
UNCERTAIN, and no check relies on it. Each pattern passes over the text once.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from reading_worklist.reports.checks.lexicon import Organ, lexicon, plain

_SENTENCE: Final = re.compile(r"[。;!?！？\n\r]|\.(?![0-9])")
_CLAUSE: Final = re.compile(r"[,，:：]")
_HAN: Final = re.compile("[\u4e00-\u9fff]")
# Followed by what it says of change, 未见 and 无 deny the change and not the lesion; and some
# words begin with 无 or contain "no" without denying anything.
_NO_NEGATION: Final = re.compile(
    r"(?:未见|无|未)(?:明显|明确|显著|著)?(?:变化|改变|好转|吸收|增大|缩小|进展|增多|减少|差异)"
    r"|无(?:菌性?|名|回声|症状|痛|功能|骨折线移位)|未(?:闭|破裂?|分化|婚|育)|并无二致"
    r"|no (?:significant |interval |appreciable |substantial )*change"
    r"|without (?:significant |interval )*change|not (?:significantly )?changed"
)
_NEGATION: Final = re.compile(
    r"未见|未发现|未查见|未探及|未触及|未显示|未示|未及|没有|否认|未伴|不伴|未合并|不合并|无(?!法)"
    r"|(?<![a-z])(?:no|without|negative for|free of|absence of|denies|nor|neither|does not show"
    r"|do not show|did not show|not show)(?![a-z])"
)
_NEGATED_AFTER: Final = re.compile(
    r"(?:均)?(?:未见(?:明确)?(?:显示)?|未显示|消失|已消失|已吸收|阴性|\(-\)|-ve)(?=[\s。;,，.!?]*$)"
    r"|(?<![a-z])(?:(?:is|are|was|were|has been|have been) (?:not|no longer) "
    r"(?:seen|identified|present|visuali[sz]ed|evident|demonstrated|detected|appreciated)"
    r"|(?:is|are) absent|(?:has|have) resolved|(?:is|are|was|were) (?:excluded|ruled out))(?![a-z])"
)
_AFFIRMATION: Final = re.compile(
    r"见|示|呈|伴|提示|考虑|符合|为|有|(?<![a-z])(?:is|are|there)(?![a-z])"
)
_HEDGE: Final = re.compile(
    r"不除外|不能除外|除外|不排除|不能排除|排除|可能|待排|待查|可疑|疑似|疑|考虑|倾向|\?"
    r"|(?<![a-z])(?:possibl[ey]|probabl[ey]|likely|suspicious|suspected|suspicion|may|might|could"
    r"|cannot (?:be )?exclude[d]?|rule out|r/o|versus|vs)(?![a-z])"
)
_PAST: Final = re.compile(
    r"术后|陈旧|既往|病史|史|旧|(?<![a-z])(?:old|prior|previous|history of|status post|s/p|chronic"
    r"|healed|remote)(?![a-z])"
)
_ADVICE: Final = re.compile(
    r"建议|随访|复查|请结合|(?<![a-z])(?:recommend(?:ed|ation)?|suggest(?:ed)?|advise[d]?"
    r"|follow-up|clinical correlation)(?![a-z])"
)
_COMPARED: Final = re.compile(
    r"对比|较|对侧|健侧|相比|(?<![a-z])(?:compared|contralateral|opposite|than)(?![a-z])"
)
# 左右 and positions of the patient are no sides of an organ.
_SIDE: Final = re.compile(
    r"左右|[左右](?=侧?卧位|前斜|后斜|侧?位)|(?P<both>双侧?|两侧?|左、右|左侧及右侧|左右侧)|(?P<left>左)|(?P<right>右)"
    r"|(?<![a-z])(?:(?P<en_both>bilateral(?:ly)?|both)|(?P<en_left>left|lul|lll)"
    r"|(?P<en_right>right|rul|rll|rml))(?![a-z])"
)
_NORMAL: Final = re.compile(
    r"(?:未见|无)(?:明显|明确|显著)?(?:异常|病变)|正常|光滑|光整|规则|均匀|清晰|清楚|完整|(?<!肿)不大"
    r"|未见增厚|(?<![a-z])(?<!not )(?:normal|unremarkable|within normal limits|intact|clear)"
    r"(?![a-z])"
    r"|no (?:focal |significant |acute )*abnormalit"
)
_SIDE_REACH: Final = 10
"""Characters between a side and its organ: 右侧第 3 后肋, left posterior third rib."""
_SIDE_REACH_LATIN: Final = 24


class Polarity(StrEnum):
    """Whether a text says that something is there."""

    AFFIRMED = "affirmed"
    NEGATED = "negated"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class OrganMention:
    """An organ that a text names. side: L, R, B, or empty where none is named.

    normal: its clause says that it is as it should be. compared: its clause compares sides.
    negated: what comes before it in its clause denies.
    """

    organ: Organ
    side: str
    span: tuple[int, int]
    clause: int
    normal: bool
    compared: bool
    past: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class LesionMention:
    """A lesion that a text speaks of, and the organ it is in; None where no organ is named."""

    lesion: str
    organ: Organ | None
    side: str
    polarity: Polarity
    hedged: bool
    past: bool
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Statements:
    """What a text says, in its order. text: as written; told: the same in plain characters."""

    text: str
    told: str
    organs: Sequence[OrganMention]
    lesions: Sequence[LesionMention]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a pattern was found, in order."""

    starts: Sequence[int]
    ends: Sequence[int]

    def within(self, start: int, end: int) -> range:
        """Return the indexes of those that begin between two places."""
        return range(bisect_left(self.starts, start), bisect_left(self.starts, end))

    def any_within(self, start: int, end: int) -> bool:
        """Tell whether one begins between two places."""
        return len(self.within(start, end)) > 0

    def last_before(self, start: int, place: int) -> int | None:
        """Return the end of the last that begins at `start` or later and ends by `place`."""
        index = bisect_right(self.ends, place) - 1
        return self.ends[index] if index >= 0 and self.starts[index] >= start else None


@dataclass(frozen=True, slots=True)
class _Clause:
    """Between two commas. sentence: where its sentence begins and ends. number: from 0."""

    number: int
    start: int
    end: int
    sentence: tuple[int, int]
    latin: bool


@lru_cache(maxsize=16)
def read(text: str) -> Statements:
    """Return what a text says. In time linear in its length."""
    return _Reader(text).statements()


def _places(pattern: re.Pattern[str], told: str) -> _Places:
    spans = [match.span() for match in pattern.finditer(told)]
    return _Places([start for start, _ in spans], [end for _, end in spans])


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._told = plain(text)
        silent = _places(_NO_NEGATION, self._told)
        negations = [
            match.span()
            for match in _NEGATION.finditer(self._told)
            if not _covered(silent, match.start())
        ]
        self._negations = _Places([one for one, _ in negations], [one for _, one in negations])
        self._affirmations = _places(_AFFIRMATION, self._told)
        self._hedges = _places(_HEDGE, self._told)
        self._past = _places(_PAST, self._told)
        self._advice = _places(_ADVICE, self._told)
        self._compared = _places(_COMPARED, self._told)
        self._normal = _places(_NORMAL, self._told)
        sides = [(m.span(), _side_of(m)) for m in _SIDE.finditer(self._told)]
        self._sides = _Places([s for (s, _), _ in sides], [e for (_, e), _ in sides])
        self._side_names = [name for _, name in sides]
        self._lexicon = lexicon()

    def statements(self) -> Statements:
        organs: list[OrganMention] = []
        lesions: list[LesionMention] = []
        found_organs = [m.span() for m in self._lexicon.organ_pattern.finditer(self._told)]
        found_lesions = [m.span() for m in self._lexicon.lesion_pattern.finditer(self._told)]
        organ_at = lesion_at = 0
        sentence: tuple[int, int] | None = None
        topic: OrganMention | None = None
        before_negated = False
        for clause in self._clauses():
            if clause.sentence != sentence:
                sentence, topic, before_negated = clause.sentence, None, False
            mine: list[OrganMention] = []
            while organ_at < len(found_organs) and found_organs[organ_at][0] < clause.end:
                mine.append(self._organ(clause, found_organs[organ_at], mine))
                organ_at += 1
            while lesion_at < len(found_lesions) and found_lesions[lesion_at][0] < clause.end:
                span = found_lesions[lesion_at]
                lesions.append(self._lesion(clause, span, mine, topic, before_negated))
                lesion_at += 1
            organs.extend(mine)
            topic = mine[-1] if mine else topic
            if self._negations.any_within(clause.start, clause.end):
                before_negated = True
            elif self._affirmations.any_within(clause.start, clause.end):
                before_negated = False
        return Statements(self._text, self._told, organs, lesions)

    def _clauses(self) -> Iterator[_Clause]:
        number = start = 0
        for end in _ends(_SENTENCE, self._told, 0, len(self._told)):
            latin = _HAN.search(self._told, start, end) is None
            inner = start
            for comma in _ends(_CLAUSE, self._told, start, end):
                yield _Clause(number, inner, comma, (start, end), latin)
                number += 1
                inner = comma
            start = end

    def _organ(
        self, clause: _Clause, span: tuple[int, int], earlier: Sequence[OrganMention]
    ) -> OrganMention:
        organ = self._lexicon.organs[self._lexicon.organ_of[self._told[slice(*span)]]]
        normal = self._normal.any_within(clause.start, clause.end)
        return OrganMention(
            organ=organ,
            side=self._side(clause, span, earlier) if organ.sided else "",
            span=span,
            clause=clause.number,
            normal=normal or self._normal_later(clause, span),
            compared=self._compared.any_within(*clause.sentence),
            past=self._past.any_within(clause.start, clause.end),
            negated=self._negations.any_within(clause.start, span[0]),
        )

    def _normal_later(self, clause: _Clause, span: tuple[int, int]) -> bool:
        """Tell whether the next clauses of the sentence go on about this organ, and praise it.

        胆囊大小、形态正常: within the clause. 胆囊不大, 壁光滑: in the next one, while no other
        organ has been named.
        """
        until = min(clause.sentence[1], span[1] + _TOPIC_REACH)
        following = self._lexicon.organ_pattern.search(self._told, span[1], until)
        return self._normal.any_within(span[1], following.start() if following else until)

    def _side(self, clause: _Clause, span: tuple[int, int], earlier: Sequence[OrganMention]) -> str:
        """Return the side named last before the organ, or within its own words."""
        inside = self._sides.within(span[0], span[1])
        if len(inside):
            return self._side_names[inside[-1]]
        before = self._sides.within(clause.start, span[0])
        if not len(before):
            return ""
        last = before[-1]
        reach = _SIDE_REACH_LATIN if clause.latin else _SIDE_REACH
        # 右肺、左肾: the side of one organ is not that of the next one. 双肺及胸膜: it is.
        between = [one for one in earlier[-3:] if one.span[0] >= self._sides.starts[last]]
        far = span[0] - self._sides.ends[last] > reach
        return "" if far or (between and not clause.latin) else self._side_names[last]

    def _lesion(
        self,
        clause: _Clause,
        span: tuple[int, int],
        organs: Sequence[OrganMention],
        topic: OrganMention | None,
        before_negated: bool,  # noqa: FBT001 -- what the reader knows of the clause before
    ) -> LesionMention:
        organ = _nearest(organs, span, clause.latin) or topic
        side = organ.side if organ else ""
        if organ and organ.organ.sided and not side:
            named = self._sides.within(clause.start, clause.end)
            side = self._side_names[named[0]] if len(named) == 1 else ""
        return LesionMention(
            lesion=self._lexicon.lesion_of[self._told[slice(*span)]],
            organ=organ.organ if organ else None,
            side=side,
            polarity=self._polarity(clause, span, before_negated=before_negated),
            hedged=self._hedges.any_within(clause.start, clause.end),
            past=self._past.any_within(clause.start, clause.end),
            span=span,
        )

    def _polarity(
        self, clause: _Clause, span: tuple[int, int], *, before_negated: bool
    ) -> Polarity:
        if self._advice.any_within(clause.start, span[0]):
            return Polarity.UNCERTAIN
        hedged = self._hedges.any_within(clause.start, clause.end)
        negated = self._negations.last_before(clause.start, span[0])
        if negated is not None:
            # 未见骨折, 可见结节: what is affirmed later in the clause is not denied.
            affirmed = self._affirmations.last_before(negated, span[0])
            told = affirmed is not None and affirmed > negated
            return Polarity.UNCERTAIN if told or hedged else Polarity.NEGATED
        if _NEGATED_AFTER.search(self._told[span[1] : min(clause.end, span[1] + _AFTER_REACH)]):
            return Polarity.NEGATED
        if hedged:
            return Polarity.UNCERTAIN
        goes_on = before_negated and not self._affirmations.any_within(clause.start, clause.end)
        if goes_on:
            rest = self._told[clause.start : min(clause.sentence[1], clause.start + _LIST_REACH)]
            listed = clause.latin and re.search(r"(?<![a-z])(?:or|nor)(?![a-z])", rest)
            return Polarity.NEGATED if listed else Polarity.UNCERTAIN
        return Polarity.AFFIRMED


_TOPIC_REACH: Final = 40
_AFTER_REACH: Final = 40
_LIST_REACH: Final = 120


def _ends(pattern: re.Pattern[str], told: str, start: int, end: int) -> Iterator[int]:
    """Yield where each part ends, its delimiter included; the last one at `end`."""
    last = start
    for match in pattern.finditer(told, start, end):
        last = match.end()
        yield last
    if last < end:
        yield end


def _covered(places: _Places, place: int) -> bool:
    index = bisect_right(places.starts, place) - 1
    return index >= 0 and place < places.ends[index]


def _side_of(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups["both"] or groups["en_both"]:
        return "B"
    if groups["left"] or groups["en_left"]:
        return "L"
    return "R" if groups["right"] or groups["en_right"] else ""


def _nearest(
    organs: Sequence[OrganMention],
    span: tuple[int, int],
    latin: bool,  # noqa: FBT001
) -> OrganMention | None:
    """Return the organ that a lesion is in: the last before it, in English also the next one."""
    before = bisect_left(organs, span[1], key=lambda one: one.span[0])
    if before:
        return organs[before - 1]
    return organs[0] if organs and latin else None
