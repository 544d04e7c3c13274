"""Issued reports survive JSON without loss, and every kind and status has its words."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.issued_reports import IssuedReport, from_json, to_json
from storage.report_status import KIND_OF_FHIR_STATUS, STATUS, IssuedKind


@settings(max_examples=20, deadline=None)
@given(st.from_type(IssuedReport))
def test_json_and_back_is_the_same_report_whatever_a_newer_release_adds(
    report: IssuedReport,
) -> None:
    content = json.loads(json.dumps(to_json(report)))
    assert from_json(content) == report
    assert from_json({**content, "added_later": {"by": "a newer release"}}) == report


def test_every_kind_has_words_and_every_word_its_kind() -> None:
    assert set(STATUS) == set(IssuedKind)
    assert {kind: KIND_OF_FHIR_STATUS[words.fhir] for kind, words in STATUS.items()} == {
        kind: kind for kind in IssuedKind
    }
