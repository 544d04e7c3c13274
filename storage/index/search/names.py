"""Searching for names (PS3.4 §C.2.2.2.1 and C.2.2.2.4; fuzzy semantic matching §C.2.2.2.1.1).

A condition has two parts: what the index on `Patient.name_keys` answers, which never leaves a
match out, and the exact condition on what that finds, where it could find too much.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, cast, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import InstrumentedAttribute

from storage.index.search.values import has_wildcard, like_pattern
from storage.index.tables import Patient
from storage.person_name import KEY_LENGTH, RUN_LENGTH, canonical, is_han

_PUNCTUATION: Final = frozenset(" ^=.,'’-·")
_PIECE: Final = re.compile(r"[*?=]|[^*?=]+")


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What a pattern comes to.

    lookup: the text search query that finds every match among the keys of names, and perhaps
        more; None where keys are of no help.
    exact: the condition on `Patient` for what `lookup` finds; None where that is all.
    """

    lookup: str | None
    exact: ColumnElement[bool] | None

    def among(self, vector: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Return the SQL condition that `lookup` finds a vector of keys.

        Raises:
            ValueError: keys are of no help.
        """
        if self.lookup is None:
            raise ValueError("the pattern has nothing that keys could be looked up by")
        return vector.bool_op("@@")(literal(self.lookup, TSQUERY))

    @property
    def condition(self) -> ColumnElement[bool]:
        """The whole condition on `Patient`."""
        parts = [self.among(_name_vector())] if self.lookup is not None else []
        return and_(*parts, *([] if self.exact is None else [self.exact]))


def patient_name_matches(value: str, *, fuzzy: bool) -> NameMatch:
    """Return what it comes to that a patient's name matches `value`.

    Without regard to case, the whole value or one of its groups matches the pattern. A name in
    Hanzi is also found where "^" stands between family and given name and the pattern has none.

    fuzzy: also by pinyin, by initials, with the given name first, and without regard to
        punctuation.
    """
    value = re.sub(r"\*+", "*", value.rstrip("=^ "))
    pattern = like_pattern(value)
    group = func.unnest(func.string_to_array(Patient.name, "=")).column_valued("name_group")
    exact: ColumnElement[bool] = or_(
        Patient.name.ilike(pattern, escape="\\"),
        select(literal(1)).where(func.rtrim(group, "^ ").ilike(pattern, escape="\\")).exists(),
    )
    looked_up = _looked_up(value)
    by_key = _by_key(value) if fuzzy or any(map(is_han, value)) else None
    either = exact if by_key is None else or_(exact, by_key)
    if looked_up is None or (by_key is not None and not looked_up.leads):
        return NameMatch(None, either)
    return NameMatch(looked_up.query, None if by_key is not None and looked_up.is_all else either)


def patient_name_begins(text: str) -> ColumnElement[bool]:
    """Return the SQL condition on `Patient` that a name in any reading begins with `text`.

    Nothing in `text` is a wild card; case and the punctuation of names do not count.
    """
    match = name_begins(text)
    return false() if match is None else match.condition


def name_begins(text: str) -> NameMatch | None:
    """Return what it comes to that a name begins with `text`, as `patient_name_begins`.

    None when no name does.
    """
    wanted = canonical(text)
    if not wanted or any(not (one.isalnum() or one in _PUNCTUATION) for one in text):
        return None
    return patient_name_matches(f"{wanted}*", fuzzy=True)


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """A text search query.

    leads: nothing but a "*" is before what is looked up, so keys that are pinyin have it too.
    is_all: a key matches exactly if the query finds it.
    """

    query: str
    leads: bool
    is_all: bool


def _name_vector() -> ColumnElement[Any]:
    # As the index ix_patient_name_keys has it.
    return func.array_to_tsvector(cast(Patient.name_keys, ARRAY(Text)))


def _looked_up(value: str) -> _LookedUp | None:
    """Return what the first run of letters in a pattern lets the index look for, None for nothing.

    PostgreSQL's own names for it: a lexeme, or with ":*" the beginning of one. Both consist of
    letters and digits, so that nothing in them has to be quoted.
    """
    pieces = _PIECE.findall(value)
    anchored = True
    for number, piece in enumerate(pieces):
        if piece in ("*", "?"):
            anchored = False
            continue
        if piece == "=":
            anchored = True
            continue
        run = canonical(piece)
        if not run:
            # It may stand for what no key has: from here on only the middle of a name is known.
            anchored = False
            continue
        rest = pieces[number + 1 :]
        cut = KEY_LENGTH if anchored else RUN_LENGTH
        whole = not rest and len(run) < cut
        query = f"'{'^' if anchored else ''}{run[:cut]}'{'' if whole else ':*'}"
        leads = pieces[:number] in ([], ["*"])
        return _LookedUp(query, leads, leads and len(run) < cut and rest in ([], ["*"]))
    return None


def _by_key(value: str) -> ColumnElement[bool]:
    """Return the condition that a key matches the pattern, both without punctuation."""
    pieces = [piece if has_wildcard(piece) else canonical(piece) for piece in _PIECE.findall(value)]
    pattern = "".join(pieces)
    # What begins with "*" may begin anywhere in a name: such keys have no "^".
    pattern = pattern[1:] if pattern.startswith("*") else f"^{pattern}"
    key = func.unnest(Patient.name_keys).column_valued("name_key")
    return select(literal(1)).where(key.like(like_pattern(pattern), escape="\\")).exists()
