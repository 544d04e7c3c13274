"""What is known of an exam beside its report: what the checks and the codes go by."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.reports.checks.findings import ExamFacts, Examined, Source
from reading_worklist.reports.checks.lexicon import lexicon, plain
from reading_worklist.reports.checks.sentences import read
from reading_worklist.reports.codes import ExamKind, OfferedCode, offered
from reading_worklist.reports.tables import ReportDraft
from reading_worklist.templates import queries as templates
from reading_worklist.workitems.tables import Lane, Workitem
from storage.index.tables import Patient, Series, Study
from storage.orders.tables import Order, StudyOrder
from storage.orders.words import OrderSource
from storage.person_name import display_name, latin_name

_DAYS_OF_YEAR: Final = 365.25
_ONE_SIDE: Final = frozenset({"L", "R"})
_PROSTATE: Final = ("prostate", "前列腺")


@dataclass(frozen=True, slots=True)
class KnownExam:
    """The facts for the checks, the kind of exam, and the codes that its report may have."""

    facts: ExamFacts
    kind: ExamKind
    codes: tuple[OfferedCode, ...]


def known_exam(session: Session, item: Workitem) -> KnownExam:
    """Return what is known of a workitem's exam now."""
    study = session.get_one(Study, item.study_id)
    patient = session.get_one(Patient, study.patient_id)
    order = session.scalar(
        select(Order)
        .join(StudyOrder, StudyOrder.order_id == Order.id)
        .where(StudyOrder.study_id == study.id)
    )
    if order is not None and order.source is OrderSource.HEADER:
        order = None
    series = session.scalars(select(Series).where(Series.study_id == study.id)).all()
    by_header = [one.body_part_examined or "" for one in series] + [study.study_description or ""]
    by_order = [order.body_part or "", order.procedure_description or ""] if order else []
    examined = _examined(
        by_order,
        by_header,
        order.laterality or "" if order else "",
        {one.laterality for one in series if one.laterality},
    )
    is_ecg = item.lane is Lane.ECG
    kind = ExamKind(
        modalities=frozenset(study.modalities),
        regions=examined.regions,
        is_ecg=is_ecg,
        of_prostate=any(
            word in plain(text) for text in (*by_order, *by_header) for word in _PROSTATE
        ),
    )
    codes = offered(kind, _asked_by_template(session, item.id))
    on = study.study_date or study.first_received_at.date()
    age = (on - patient.birth_date).days / _DAYS_OF_YEAR if patient.birth_date else None
    names = [display_name(patient.name), latin_name(patient.name)]
    facts = ExamFacts(
        names=tuple(dict.fromkeys(name for name in names if name)),
        sex=patient.sex or "",
        age_years=age if age is None or age >= 0 else None,
        is_ecg=is_ecg,
        examined=Examined() if is_ecg else examined,
        history=f"{order.clinical_diagnosis or ''}。{order.reason or ''}" if order else "",
        required_codes=tuple(one.name for one in codes if one.required),
    )
    return KnownExam(facts, kind, tuple(codes))


def _examined(
    by_order: list[str], by_header: list[str], ordered_side: str, header_sides: set[str]
) -> Examined:
    """Weigh what the order and the device say.

    Where both name a region and have none in common, somebody is wrong, and nothing is certain.
    """
    ordered, told = _regions(by_order), _regions(by_header)
    certain = bool(ordered) and (not told or bool(ordered & told))
    side = ordered_side if ordered_side in _ONE_SIDE else _one_side_of(by_order)
    header_side = header_sides.pop() if len(header_sides) == 1 else ""
    agreed = bool(side) and header_side in {side, ""}
    return Examined(
        regions=ordered | told,
        regions_by=Source.ORDER if certain else Source.HEADER,
        laterality=side if agreed or not header_side else "" if side else header_side,
        laterality_by=Source.ORDER if agreed else Source.HEADER,
    )


def _regions(told: list[str]) -> frozenset[str]:
    """Return every region that is named; none where a word is not known, which may be any."""
    return frozenset[str]().union(*(lexicon().regions_named(one) for one in told if one))


def _one_side_of(told: list[str]) -> str:
    """Return the side that the name of a procedure has, as in 左膝关节 MR 平扫."""
    sides = {one.side for text in told for one in read(text).organs if one.organ.paired}
    return next(iter(sides)) if len(sides) == 1 and sides <= _ONE_SIDE else ""


def _asked_by_template(session: Session, workitem_id: UUID) -> frozenset[str]:
    draft = session.get(ReportDraft, workitem_id)
    if draft is None or draft.template_id is None:
        return frozenset()
    return templates.required_codes(session, draft.template_id)
