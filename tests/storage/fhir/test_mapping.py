"""Issued reports as FHIR R4: valid, complete, always the same, and as they were looked at once."""

import json
import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from storage.fhir.elements import instant
from storage.fhir.identities import Systems
from storage.fhir.mapping import binary, tell
from storage.fhir.observations import mdc_code, withdrawn
from storage.fhir.reports import Pdf, version_id
from storage.issued_reports import IssuedCode, IssuedReport
from storage.report_status import STATUS, IssuedKind
from tests.support.fhir import REQUIRED, check, references
from tests.support.issued import SITE, amended, issued_ecg, issued_report, revoked

GOLDEN = Path(__file__).parent / "golden"
SYSTEMS = Systems.of_site(SITE.id)
PDF = Pdf(url="https://rdc.example/fhir/Binary/x")
REPORTS = {
    "report": issued_report(),
    "ecg": issued_ecg(),
    "amended": amended(issued_report()),
    "revoked": revoked(amended(issued_report())),
    "preliminary": issued_report(kind=IssuedKind.PRELIMINARY, reviewer=None),
    "english": issued_report(language="en", title="CT report"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_told_is_as_it_was_looked_at(name: str) -> None:
    """Written anew with RDC_WRITE_GOLDEN=1, and then read by a person."""
    told = [*tell(REPORTS[name], SYSTEMS, PDF).resources.values()]
    text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
    file = GOLDEN / f"{name}.json"
    if os.environ.get("RDC_WRITE_GOLDEN"):
        file.write_text(text, "utf-8")
    assert json.loads(file.read_text("utf-8")) == told


@pytest.mark.parametrize("name", REPORTS)
def test_every_resource_is_valid_and_every_reference_leads_somewhere(name: str) -> None:
    told = tell(REPORTS[name], SYSTEMS, PDF)
    names = {f"{kind}/{one}" for kind, one in told.resources}
    for one in told.resources.values():
        check(one)
        for reference in references(one):
            # An earlier version's document is told with that version.
            assert reference in names or one["resourceType"] == "DocumentReference", reference


def sparse() -> IssuedReport:
    """A report about which nobody has said more than has to be said."""
    report = issued_report()
    bare = replace(report.patient, local_id=None, name="未知", pinyin="", sex="", birth_date=None)
    return replace(
        report,
        patient=bare,
        order=replace(
            report.order,
            accession_number="",
            placer_order_number="",
            filler_order_number="",
            requested_procedure_id="",
            procedure_code="",
            procedure="",
            requester="",
            clinical_diagnosis="",
        ),
        exam=replace(
            report.exam,
            body_part="",
            description="",
            study_date=None,
            series=(),
            modalities=("OT",),
            modality="OT",
        ),
        times=replace(report.times, acquired=None, ordered=None, received=None, reviewed=None),
        reviewer=None,
        sections=(),
        codes=(),
        measurements=(),
    )


def test_a_report_of_which_little_is_known_is_valid_too() -> None:
    told = tell(sparse(), SYSTEMS)
    for one in told.resources.values():
        check(one)
    assert told.of_type("ServiceRequest") == []
    # Nobody without a number is taken for somebody else without one.
    (patient,) = told.of_type("Patient")
    assert patient["identifier"][0]["system"] == "urn:dicom:uid"
    check(binary(sparse(), b"%PDF"))


def test_every_kind_has_a_status_that_r4_knows() -> None:
    for kind in IssuedKind:
        assert STATUS[kind].fhir in REQUIRED["DiagnosticReport", "status"].split()
        for one in tell(replace(issued_ecg(), kind=kind), SYSTEMS).resources.values():
            check(one)


def test_versions_are_one_report_and_each_its_own_document() -> None:
    first = issued_report()
    second = amended(first)
    void = revoked(second)
    told = [tell(one, SYSTEMS) for one in (first, second, void)]
    assert len({one.ids.report for one in told}) == 1
    assert len({one.ids.document for one in told}) == 3
    assert len({one.ids.patient for one in told}) == 1
    assert [version_id(one) for one in (first, second, void)] == ["1", "2", "2-void"]
    (report,) = told[2].of_type("DiagnosticReport")
    assert "conclusion" not in report
    assert "result" not in report
    assert "不得使用" in report["text"]["div"]
    (document,) = told[1].of_type("DocumentReference")
    assert document["relatesTo"][0]["target"]["reference"].endswith(str(told[0].ids.document))


def test_the_same_patient_number_at_another_site_is_another_patient() -> None:
    elsewhere = replace(SITE, id=UUID(int=SITE.id.int + 1))
    ours, theirs = (tell(issued_report(site=one), SYSTEMS) for one in (SITE, elsewhere))
    assert ours.ids.patient != theirs.ids.patient
    assert ours.ids.study != theirs.ids.study
    assert Systems.of_site(elsewhere.id).patient != SYSTEMS.patient


def test_a_confirmed_value_is_final_and_the_devices_is_not() -> None:
    told = tell(issued_ecg(), SYSTEMS).of_type("Observation")
    rates = [one for one in told if one["code"]["text"] == "心室率"]
    assert [(one["status"], one["valueQuantity"]["value"]) for one in rates] == [
        ("preliminary", 72),
        ("final", 71),
    ]
    coded = {one["system"]: one["code"] for one in rates[0]["code"]["coding"]}
    # MDC_ECG_HEART_RATE_VENT is 2::16016; its context-free code has the partition in it.
    assert coded["urn:iso:std:iso:11073:10101"] == mdc_code("2:16016") == "147088"
    (absent,) = [one for one in told if "dataAbsentReason" in one]
    assert absent["dataAbsentReason"]["text"] == "no_p_wave"
    units = {one["valueQuantity"]["code"] for one in told if "valueQuantity" in one}
    assert units == {"/min", "ms", "deg", "mV"}


def test_what_a_later_version_does_not_say_is_withdrawn() -> None:
    first = issued_ecg()
    second = amended(first, measurements=first.measurements[:2])
    gone = withdrawn(first, second, SYSTEMS)
    assert len(gone) == 5
    for one in gone:
        check(one.resource)
        assert one.resource["status"] == "entered-in-error"
    assert withdrawn(second, second, SYSTEMS) == []


def test_categories_of_the_breast_have_the_code_of_others() -> None:
    report = issued_report(codes=(IssuedCode(name="bi_rads", value="4"),))
    (told,) = tell(report, SYSTEMS).of_type("DiagnosticReport")
    assert told["conclusionCode"][0]["coding"][0]["code"] == "397144001"
    exact = tell(issued_report(codes=(IssuedCode(name="bi_rads", value="4B"),)), SYSTEMS)
    assert len(exact.of_type("DiagnosticReport")[0]["conclusionCode"][0]["coding"]) == 1


def test_text_is_no_markup() -> None:
    report = issued_report()
    mark = replace(report.sections[0], text="<script>alert(1)</script> & </div>\x00\x0b")
    (told,) = tell(replace(report, sections=(mark,)), SYSTEMS).of_type("DiagnosticReport")
    check(told)
    assert "<script" not in told["text"]["div"]


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant(issued_report().times.issued.replace(tzinfo=None))
