"""Who needs no identity is shown none: names, numbers and birth dates of patients are masked.

A system administrator mends deliveries and lets records go, a regulator counts; neither treats
anybody. What is left of a name or number is enough to see that two lines are of one patient, and to
tell the site over the telephone which exam is meant. The exam's own numbers stay.
"""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from reading_worklist.access.scope import Scope
from storage.registry import Role

WITHOUT_IDENTITY: Final = frozenset({Role.SYSTEM_ADMIN, Role.REGULATOR})
"""Roles that need no identity; whoever has another role as well is shown it."""

_HIDDEN: Final = "*"
_SHOWN: Final = 2

Answer = TypeVar("Answer", bound=BaseModel)


def sees_identity(scope: Scope) -> bool:
    """Tell whether a person is shown who the patients are."""
    return not scope.roles <= WITHOUT_IDENTITY


def masked_name(name: str) -> str:
    """Return a name with its first sign alone: 张**, Z***; each part of a name with groups.

    >>> masked_name("张伟")
    '张*'
    """
    return name[:1] + _HIDDEN * max(len(name) - 1, 0)


def masked_number(number: str) -> str:
    """Return a number with its last two signs; a short one with none.

    >>> masked_number("P-10042")
    '*****42'
    """
    shown = _SHOWN if len(number) > 2 * _SHOWN else 0
    return _HIDDEN * (len(number) - shown) + number[len(number) - shown :]


def _nothing(_value: object) -> None:
    return None


def _year(day: date) -> date:
    return day.replace(month=1, day=1)


_FIELDS: Final[Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "patient_name": masked_name,
        "patient_latin_name": masked_name,
        # The site's own number; `patient_id` is one where it is no UUID of ours.
        "local_id": masked_number,
        "patient_id": lambda value: masked_number(value) if isinstance(value, str) else value,
        "patient_birth_date": _year,
        # What was sent and answered holds the whole report.
        "request": _nothing,
        "response": _nothing,
        # Header fields of two versions beside each other.
        "differences": lambda _value: [],
        "detail": lambda value: {} if isinstance(value, dict) else value,
    }
)
_OF_PATIENT: Final[Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {**_FIELDS, "name": masked_name, "latin_name": masked_name, "birth_date": _year}
)


def shown_to(scope: Scope, answer: Answer) -> Answer:
    """Return an answer as its asker may see it: as it is, or with identities masked."""
    return answer if sees_identity(scope) else _masked(answer, _FIELDS)


def _masked(answer: Answer, fields: Mapping[str, Callable[[Any], object]]) -> Answer:
    changed: dict[str, object] = {}
    for name in type(answer).model_fields:
        value = getattr(answer, name)
        if value is None:
            continue
        if name in fields:
            changed[name] = fields[name](value)
        elif isinstance(value, BaseModel):
            changed[name] = _masked(value, _OF_PATIENT if name == "patient" else _FIELDS)
        elif isinstance(value, list):
            changed[name] = [
                _masked(one, _FIELDS) if isinstance(one, BaseModel) else one
                for one in value  # pyright: ignore[reportUnknownVariableType] -- of any kind
            ]
    return answer.model_copy(update=changed)
