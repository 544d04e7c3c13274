"""An ECG's report as a tree: ECG Report (PS3.16 TID 3700)."""

from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from reading_worklist.ecg.statements.library import library
from reading_worklist.reports.document import EcgBlock, EcgMeasurement, EcgSource
from reading_worklist.reports.structured import concepts
from reading_worklist.reports.structured.concepts import Concept
from reading_worklist.reports.structured.content_items import (
    Relation,
    code,
    container,
    moment,
    number,
    text,
    waveform,
)
from reading_worklist.reports.structured.report import StructuredSource, opening

TEMPLATE: Final = "3700"
_EMPTY: Final = EcgBlock()
_MINUTE_MS: Final = 60_000

# TID 3713 row by row; what has to be there is said to be not measured where it is not.
_ROWS: Final = (
    ("heart_rate", concepts.VENTRICULAR_RATE, concepts.BEATS_PER_MINUTE, True),
    ("qt", concepts.QT_INTERVAL, concepts.MILLISECOND, True),
    ("pr", concepts.PR_INTERVAL, concepts.MILLISECOND, True),
    ("qrs", concepts.QRS_DURATION, concepts.MILLISECOND, True),
    ("rr", concepts.RR_INTERVAL, concepts.MILLISECOND, True),
    ("atrial_rate", concepts.ATRIAL_RATE, concepts.BEATS_PER_MINUTE, False),
    ("p_duration", concepts.P_DURATION, concepts.MILLISECOND, False),
    ("p_axis", concepts.P_AXIS, concepts.DEGREE, False),
    ("qrs_axis", concepts.QRS_AXIS, concepts.DEGREE, False),
    ("t_axis", concepts.T_AXIS, concepts.DEGREE, False),
)
_QTC: Final[Mapping[str, Concept | None]] = {
    "qtc_bazett": concepts.BAZETT,
    "qtc_fridericia": concepts.FRIDERICIA,
    "qtc_framingham": concepts.FRAMINGHAM,
    "qtc_hodges": concepts.HODGES,
    "qtc": None,
}
MDC_CODES: Final[Mapping[str, str]] = {
    **{name: one.value for name, one, _, _ in _ROWS},
    **dict.fromkeys(_QTC, concepts.QTC_INTERVAL.value),
}
"""Code of ISO/IEEE 11073-10101 by the name of a measure, of those that have one."""

_VOLTAGES: Final = (
    ("rv5", concepts.R_AMPLITUDE, concepts.LEAD_V5),
    ("sv1", concepts.S_AMPLITUDE, concepts.LEAD_V1),
    ("rv5_sv1", concepts.SOKOLOW_LYON, None),
)
_CLASSES: Final = {
    "normal": concepts.NORMAL,
    "borderline": concepts.BORDERLINE,
    "suspicious": concepts.EQUIVOCAL,
    "abnormal": concepts.ABNORMAL,
}
# What a doctor has confirmed is the report's value, then what the centre measured.
_OURS: Final = ("confirmed", "centre")


def ecg_tree(source: StructuredSource) -> Dataset:
    """Return the root of an ECG's report: what was read, values, findings, summary.

    The device's own values stand in a container of their own, with the device as observer.
    """
    document = source.document
    ecg = document.ecg or _EMPTY
    children = opening(source)
    children.append(
        code(concepts.PROCEDURE_REPORTED, concepts.ECG_REPORT, relation=Relation.HAS_CONCEPT_MOD)
    )
    children.append(_waveform_information(source, ecg.source))
    children.append(container(concepts.QUANTITATIVE_ANALYSIS, list(_analysis(ecg))))
    qualitative = list(_qualitative(source, ecg))
    if qualitative:
        children.append(container(concepts.QUALITATIVE_ANALYSIS, qualitative, template="3717"))
    children.append(_summary(source))
    return container(concepts.ECG_REPORT, children, relation=None, template=TEMPLATE)


def _waveform_information(source: StructuredSource, read: EcgSource | None) -> Dataset:
    """Return TID 3708: when, which waveform, leads and device."""
    document = source.document
    children: list[Dataset] = []
    if document.performed_at is not None:
        # On the clock of the site; DCMTK 3.6.7 refuses a tree with an offset of +0000.
        local = document.performed_at.astimezone(ZoneInfo(document.time_zone))
        children.append(moment(concepts.PROCEDURE_DATETIME, local))
    if source.waveform is not None:
        children.append(waveform(concepts.SOURCE_OF_MEASUREMENT, source.waveform))
    if read is not None and read.twelve_leads:
        # Where the electrodes were, no file says; only that they make the twelve leads.
        children.append(code(concepts.LEAD_SYSTEM, concepts.UNSPECIFIED_12_LEAD))
    if document.device:
        children.append(text(concepts.EQUIPMENT, document.device))
    if read is not None:
        children.append(number(concepts.SAMPLE_RATE, f"{read.sampling_rate_hz:g}", concepts.HERTZ))
    return container(concepts.CURRENT_PROCEDURE, children, template="3708")


def _analysis(ecg: EcgBlock) -> Iterator[Dataset]:
    ours: dict[str, EcgMeasurement] = {}
    for name in _OURS:
        for one in ecg.measurements:
            if one.source == name:
                ours.setdefault(one.name, one)
    method = [text(concepts.MEASUREMENT_METHOD, ecg.method)] if ecg.method else []
    yield container(
        concepts.GLOBAL_MEASUREMENTS, [*method, *_values(ours, complete=True)], template="3713"
    )
    of_leads = list(_of_leads(ours))
    if of_leads:
        yield container(concepts.LEAD_MEASUREMENTS, of_leads, template="3714")
    devices = {one.name: one for one in ecg.measurements if one.source == "device"}
    if devices:
        observer = code(concepts.OBSERVER_TYPE, concepts.DEVICE, relation=Relation.HAS_OBS_CONTEXT)
        yield container(
            concepts.GLOBAL_MEASUREMENTS,
            [observer, *_values(devices, complete=False)],
            template="3713",
        )


def _of_leads(found: Mapping[str, EcgMeasurement]) -> Iterator[Dataset]:
    """Return the voltages of TID 3714, and the sum that the report prints.

    S is a depth on the paper, and below zero here, where amplitudes have a sign.
    """
    for name, concept, lead in _VOLTAGES:
        one = found.get(name)
        if one is None or not one.value:
            continue
        which = (
            [] if lead is None else [code(concepts.LEAD, lead, relation=Relation.HAS_CONCEPT_MOD)]
        )
        value = f"-{one.value}" if concept is concepts.S_AMPLITUDE else one.value
        yield number(concept, value, concepts.MILLIVOLT, *which, *_chosen(one))


def _values(found: Mapping[str, EcgMeasurement], *, complete: bool) -> Iterator[Dataset]:
    """Return the rows of TID 3713; those that are missing only where all shall be there."""
    for name, concept, unit, required in _ROWS:
        one = found.get(name)
        value = _mean_rr(found) if name == "rr" and one is None else one.value if one else ""
        if value or (required and complete):
            yield number(concept, value or None, unit, *_chosen(one))
    for name, formula in _QTC.items():
        one = found.get(name)
        if one is None or not one.value:
            continue
        said = (
            []
            if formula is None
            else [code(concepts.ALGORITHM_NAME, formula, relation=Relation.HAS_PROPERTIES)]
        )
        yield number(concepts.QTC_INTERVAL, one.value, concepts.MILLISECOND, *said, *_chosen(one))


def _chosen(one: EcgMeasurement | None) -> list[Dataset]:
    if one is None or one.source != "confirmed":
        return []
    return [code(concepts.SELECTION_STATUS, concepts.USER_CHOSEN, relation=Relation.HAS_PROPERTIES)]


def _mean_rr(found: Mapping[str, EcgMeasurement]) -> str:
    """Return the mean RR in ms, of which a rate is the reciprocal; empty without a rate."""
    rate = found.get("heart_rate")
    if rate is None or not rate.value or float(rate.value) <= 0:
        return ""
    return f"{_MINUTE_MS / float(rate.value):.0f}"


def _qualitative(source: StructuredSource, ecg: EcgBlock) -> Iterator[Dataset]:
    """Return TID 3717: the findings in words, and the picked statements that have a code."""
    if source.document.findings.strip():
        yield text(concepts.FINDING, source.document.findings)
    for identifier in ecg.statements:
        statement = library().get(identifier)
        if statement is not None and statement.code is not None:
            yield code(concepts.FINDING, Concept(*statement.code))


def _summary(source: StructuredSource) -> Dataset:
    """Return TID 3719: the impression, the advice, and the class as overall finding."""
    document = source.document
    children: list[Dataset] = []
    if document.impression.strip():
        children.append(text(concepts.SUMMARY, document.impression))
    overall = _CLASSES.get(document.codes.get("ecg_class", ""))
    if overall is not None:
        children.append(code(concepts.OVERALL_FINDING, overall))
    if document.advice.strip():
        children.append(text(concepts.RECOMMENDATION, document.advice))
    children += [text(concepts.ADDENDUM, one.text) for one in document.addenda]
    # TID 3719 has no row of its own for what was added: like the summary itself, words.
    return container(concepts.SUMMARY, children, template="3719")
