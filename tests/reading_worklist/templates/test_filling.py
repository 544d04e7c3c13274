"""Templates and their values: what is written, what stays open, and what is refused."""

import re
from typing import Any

import pytest

from reading_worklist.problems import Problem
from reading_worklist.reports.checks.engine import check
from reading_worklist.reports.checks.findings import CheckedReport, Code, ExamFacts, Severity
from reading_worklist.templates.filling import fill, refuse_flaws
from reading_worklist.templates.schemas import TemplateBody
from reading_worklist.templates.starter import shipped, shipped_snippets
from reading_worklist.typesetting.labels import Language

SIZE = {"name": "大小", "kind": "number", "unit": "mm", "minimum": 1, "maximum": 30, "decimals": 1}
SIDE = {"name": "侧", "kind": "choice", "choices": ["右", "左"]}
SEEN = {"name": "日期", "kind": "date", "required": False}


def template(*fields: dict[str, Any], **texts: str) -> TemplateBody:
    """A template for CT with these fields."""
    told = {"findings": "{侧}肺结节，约 {大小}。{日期}", **texts}
    return TemplateBody.model_validate(
        {"title": "结节", "modalities": ["CT"], "fields": list(fields), **told}
    )


NODULE = template(SIZE, SIDE, SEEN)


def test_values_stand_in_their_places_with_their_units() -> None:
    filled = fill(NODULE, {"大小": "14", "侧": "右", "日期": "2026-11-21"})
    assert filled.findings == "右肺结节，约 14.0 mm。2026-11-21"
    assert filled.open == []


def test_an_open_place_is_marked_and_nobody_signs_over_it() -> None:
    filled = fill(NODULE, {"侧": "左"}, partly=True)
    assert (filled.findings, filled.open) == ("左肺结节，约 {大小 mm}。", ["大小"])
    (one,) = check(CheckedReport(filled.findings, "左肺结节。"), ExamFacts())
    assert (one.code, one.severity, one.excerpt) == (
        Code.PLACEHOLDER,
        Severity.BLOCK,
        "{大小 mm}",
    )


@pytest.mark.parametrize(
    ("values", "flaw", "field"),
    [
        ({"侧": "右"}, "missing-value", "大小"),
        ({"侧": "右", "大小": "140"}, "out-of-range", "大小"),
        ({"侧": "右", "大小": "大"}, "not-a-number", "大小"),
        ({"侧": "上", "大小": "14"}, "not-a-choice", "侧"),
        ({"侧": "右", "大小": "14", "日期": "2026-13-01"}, "not-a-date", "日期"),
        ({"侧": "右", "大小": "14", "没有": "x"}, "unknown-field", "没有"),
    ],
)
def test_a_value_that_is_none_is_refused_by_its_name(
    values: dict[str, str], flaw: str, field: str
) -> None:
    with pytest.raises(Problem) as refused:
        fill(NODULE, values)
    assert refused.value.status == 422
    assert refused.value.members is not None
    assert (refused.value.members["flaw"], refused.value.members["field"]) == (flaw, field)


@pytest.mark.parametrize(
    ("body", "flaw", "field"),
    [
        (template(SIZE, SEEN), "missing-field", "侧"),
        (template(SIZE, SIDE, SEEN, findings="{侧}肺 {大小}"), "unused-field", "日期"),
        (template(SIZE, SIDE, SIDE, SEEN), "double-field", "侧"),
        (template(findings="{侧"), "brace", "findings"),
        (template(findings=" "), "empty", "findings"),
        (template({**SIZE, "default": "99"}, SIDE, SEEN), "out-of-range", "大小"),
        (template(findings="x").model_copy(update={"regions": ["tail"]}), "unknown-region", "tail"),
    ],
)
def test_a_template_that_nobody_can_fill_is_not_kept(
    body: TemplateBody, flaw: str, field: str
) -> None:
    with pytest.raises(Problem) as refused:
        refuse_flaws(body)
    assert refused.value.members is not None
    assert (refused.value.members["flaw"], refused.value.members["field"]) == (flaw, field)


def test_every_shipped_template_is_there_in_both_languages() -> None:
    every = dict(shipped())
    for code, body in every.items():
        if code.endswith(".en"):
            text = body.model_dump_json()
            assert body.language is Language.EN, code
            assert not re.search(r"[\u3000-\u9fff]", text), code
            continue
        english = every[f"{code}.en"]
        same = {"modalities", "regions", "sex", "required_codes"}
        assert english.model_dump(include=same) == body.model_dump(include=same), code


def test_what_is_shipped_can_be_filled_and_its_defaults_pass_the_checks() -> None:
    codes = [code for code, _ in shipped()]
    for needed in ("ct-chest", "ct-head", "xr-chest", "ct-abdomen", "us-abdomen"):
        assert needed in codes
    for needed in ("mr-knee", "mr-prostate", "mg-breast", "ecg-normal"):
        assert needed in codes
    for code, body in shipped():
        filled = fill(body, {}, partly=True)
        report = CheckedReport(filled.findings, filled.impression or "。", filled.advice)
        found = {one.code for one in check(report, ExamFacts(is_ecg=code.startswith("ecg")))}
        assert found <= {Code.PLACEHOLDER}, (code, found)
        assert (Code.PLACEHOLDER in found) == bool(filled.open), code
    assert len({one.shortcut for one in shipped_snippets()}) == len(shipped_snippets())
