"""From a template and values to the texts of a report. Pure functions."""

import re
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Final

from reading_worklist.problems import Problem
from reading_worklist.reports.checks.lexicon import lexicon
from reading_worklist.templates.schemas import FilledText, TemplateBody, TemplateField

_PLACE: Final = re.compile(r"\{([^{}\n]{1,60})\}")
_PARTS: Final = ("findings", "impression", "advice")


def refuse_flaws(body: TemplateBody) -> None:
    """Pass when a template can be filled.

    Raises:
        Problem: 422 naming what is wrong: a text names a field that is not there, a field is not
            used or is there twice, a brace without its other, or a region is not known.
    """
    _refuse_names([one.name for one in body.fields], _names_used(body))
    for region in body.regions:
        if region not in lexicon().region_parts:
            raise _flaw("unknown-region", region, f"no region is named {region}")
    for field in body.fields:
        if field.default:
            written(field, field.default)
    if not (body.findings.strip() or body.impression.strip()):
        raise _flaw("empty", "findings", "neither findings nor impression")


def _names_used(body: TemplateBody) -> list[str]:
    used: list[str] = []
    for part in _PARTS:
        text: str = getattr(body, part)
        used.extend(_PLACE.findall(text))
        left = _PLACE.sub("", text)
        if "{" in left or "}" in left:
            raise _flaw("brace", part, f"a brace without its other in '{part}'")
    return used


def _refuse_names(names: list[str], used: list[str]) -> None:
    for name in used:
        if name not in names:
            raise _flaw("missing-field", name, f"the text names {{{name}}}, which is no field")
    for name in names:
        if names.count(name) > 1:
            raise _flaw("double-field", name, f"two fields are named {name}")
        if name not in used:
            raise _flaw("unused-field", name, f"no text names {{{name}}}")


def fill(body: TemplateBody, values: Mapping[str, str], *, partly: bool = False) -> FilledText:
    """Return the texts with the values in their places.

    A required field that is open gets a mark in braces, which no report is signed with, when
    `partly`; another one that is open leaves nothing.

    Raises:
        Problem: 422 naming the field whose value is missing or is not one.
    """
    fields = {one.name: one for one in body.fields}
    for name in values:
        if name not in fields:
            raise _wrong("unknown-field", name, "a field of the template")
    words: dict[str, str] = {}
    open_names: list[str] = []
    for name, field in fields.items():
        value = values.get(name, "").strip() or field.default
        if value:
            words[name] = written(field, value)
        elif not field.required:
            words[name] = ""
        elif partly:
            words[name] = mark(field)
            open_names.append(name)
        else:
            raise _wrong("missing-value", name, "a value")
    texts = [_PLACE.sub(lambda m: words[m[1]], getattr(body, part)) for part in _PARTS]
    return FilledText(findings=texts[0], impression=texts[1], advice=texts[2], open=open_names)


def mark(field: TemplateField) -> str:
    """Return what stands in the text for a field that is open, such as {大小 mm}."""
    return f"{{{f'{field.name} {field.unit}'.strip()}}}"


def written(field: TemplateField, value: str) -> str:
    """Return a value as the report says it: a number with its unit.

    Raises:
        Problem: 422 when it is no value of the field.
    """
    if field.kind == "choice":
        if value not in field.choices:
            raise _wrong("not-a-choice", field.name, " / ".join(field.choices))
        return value
    if field.kind == "date":
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise _wrong("not-a-date", field.name, "a date such as 2026-11-21") from None
    if field.kind == "number":
        return _number(field, value)
    if "{" in value or "}" in value:
        raise _wrong("brace", field.name, "text without braces")
    return value


def _number(field: TemplateField, value: str) -> str:
    if not re.fullmatch(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?", value):
        raise _wrong("not-a-number", field.name, "a number such as 14 or 1.5")
    number = float(value)
    low, high = field.minimum, field.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        limits = f"{'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"
        raise _wrong("out-of-range", field.name, f"{limits} {field.unit}".strip())
    return f"{number:.{field.decimals}f} {field.unit}".strip()


def _flaw(flaw: str, name: str, found: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "template-flaw",
        "The template cannot be used like this",
        found=found,
        remedy="Correct it and save again.",
        members={"flaw": flaw, "field": name},
    )


def _wrong(flaw: str, name: str, expected: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "template-value",
        f"The field {name} has no value that fits",
        expected=expected,
        remedy="Fill in the field.",
        members={"flaw": flaw, "field": name, "wanted": expected},
    )
