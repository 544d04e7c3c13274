"""A report in words as a tree: Basic Diagnostic Imaging Report (PS3.16 TID 2000)."""

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset

from reading_worklist.reports.document import ReportDocument
from reading_worklist.reports.structured import concepts
from reading_worklist.reports.structured.concepts import Concept
from reading_worklist.reports.structured.content_items import (
    Relation,
    code,
    container,
    image,
    text,
    uid_reference,
)
from reading_worklist.reports.structured.report import StructuredSource, opening

TEMPLATE: Final = "2000"
_SIDES: Final = {"L": concepts.LEFT, "R": concepts.RIGHT, "B": concepts.BOTH}


def text_tree(source: StructuredSource, title: Concept) -> Dataset:
    """Return the root of a report's texts, addenda and key images last; empty ones are left out."""
    children = [
        *opening(source),
        *_exam(source.document),
        *(container(heading, items) for heading, items in _sections(source.document)),
    ]
    if source.key_images:
        children.append(container(concepts.KEY_IMAGES, [image(one) for one in source.key_images]))
    return container(title, children, relation=None, template=TEMPLATE)


def _exam(document: ReportDocument) -> Iterator[Dataset]:
    """Return of which study it is, as the rows of TID 1005."""
    context = Relation.HAS_OBS_CONTEXT
    yield uid_reference(concepts.STUDY, document.study_instance_uid, relation=context)
    if document.accession_number:
        yield text(concepts.ACCESSION_NUMBER, document.accession_number, relation=context)


def _sections(document: ReportDocument) -> Iterator[tuple[Concept, list[Dataset]]]:
    procedure = _said(concepts.PROCEDURE_DESCRIPTION, _procedure(document))
    side = _SIDES.get(document.laterality)
    if side is not None:
        procedure.append(code(concepts.LATERALITY, side))
    found = (
        (concepts.REQUEST, _said(concepts.REQUEST, document.purpose)),
        (
            concepts.CLINICAL_INFORMATION,
            _said(concepts.CLINICAL_INFORMATION, document.clinical_diagnosis),
        ),
        (concepts.CURRENT_PROCEDURE, procedure),
        (concepts.PREVIOUS_FINDINGS, _said(concepts.PREVIOUS_FINDING, document.comparison)),
        (concepts.FINDINGS, _said(concepts.FINDING, document.findings)),
        (concepts.IMPRESSIONS, _said(concepts.IMPRESSION, document.impression)),
        (concepts.RECOMMENDATIONS, _said(concepts.RECOMMENDATION, document.advice)),
        (concepts.CRITICAL_RESULTS, _said(concepts.COMMENT, document.critical_notice)),
        *((concepts.ADDENDUM, _said(concepts.FINDING, one.text)) for one in document.addenda),
        # Why an earlier version does not stand any more.
        (concepts.SUMMARY, _said(concepts.COMMENT, document.amendment_reason)),
    )
    return ((heading, items) for heading, items in found if items)


def _procedure(document: ReportDocument) -> str:
    parts = (document.procedure, document.body_part, document.technique, document.contrast)
    return "\n".join(part for part in parts if part.strip())


def _said(concept: Concept, words: str) -> list[Dataset]:
    return [text(concept, words)] if words.strip() else []
