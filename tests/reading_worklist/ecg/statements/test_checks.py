"""Statements that cannot both be true stop a signature; a class too near to normal is asked."""

import pytest

from reading_worklist.reports.checks.engine import check
from reading_worklist.reports.checks.findings import CheckedReport, Code, ExamFacts, Severity

ECG = ExamFacts(is_ecg=True)


def found(impression: str, ecg_class: str = "abnormal", exam: ExamFacts = ECG) -> set[str]:
    report = CheckedReport(impression=impression, codes={"ecg_class": ecg_class})
    return {f"{one.severity} {one.code}" for one in check(report, exam)}


@pytest.mark.parametrize(
    "impression",
    [
        "窦性心律\n心房颤动",
        "Sinus rhythm\nAtrial fibrillation",
        "窦性心动过缓\n窦性心动过速",
        "心电轴左偏\n心电轴右偏",
        "正常心电图\n完全性左束支阻滞",
        "正常心电图\n异常心电图",
        "心房颤动\n一度房室阻滞",
    ],
)
def test_what_excludes_each_other_stops_the_signature(impression: str) -> None:
    assert f"{Severity.BLOCK} {Code.STATEMENTS_CONTRADICT}" in found(impression)


def test_what_is_rare_needs_a_reason() -> None:
    assert f"{Severity.WARN} {Code.STATEMENTS_CONTRADICT}" in found("心房颤动\n心房扑动")


@pytest.mark.parametrize(
    "impression",
    [
        "窦性心律\n室性早搏\n完全性右束支阻滞",
        "心房颤动\n完全性右束支阻滞",
        "窦性心律\n短阵室性心动过速",
    ],
)
def test_what_goes_together_is_not_asked(impression: str) -> None:
    assert found(impression) == set()


def test_a_class_nearer_to_normal_than_a_statement_allows_is_asked() -> None:
    assert f"{Severity.WARN} {Code.CODE_CONTRADICTS}" in found(
        "窦性心律\n心房肥大\n左心室肥厚", "borderline"
    )
    assert found("窦性心律\n左心室肥厚", "abnormal") == set()
    # A class farther from normal is the doctor's to choose.
    assert found("窦性心律\n窦性心律不齐", "suspicious") == set()


def test_reports_of_images_have_no_such_statements() -> None:
    assert f"{Severity.BLOCK} {Code.STATEMENTS_CONTRADICT}" not in found(
        "窦性心律\n心房颤动", exam=ExamFacts()
    )
