"""A report in words as a tree: Basic Diagnostic Imaging Report (PS3.16 TID 2000)."""

from typing import Final

from pydicom.dataset import Dataset

from reading_worklist.reports.structured import concepts
from reading_worklist.reports.structured.content_items import container, text
from reading_worklist.reports.structured.report import StructuredSource, opening

TEMPLATE: Final = "2000"


def text_tree(source: StructuredSource) -> Dataset:
    """Return the root of a report's texts, addenda last; empty ones are left out."""
    document = source.document
    sections = (
        (concepts.FINDINGS, concepts.FINDING, document.findings),
        (concepts.IMPRESSIONS, concepts.IMPRESSION, document.impression),
        (concepts.RECOMMENDATIONS, concepts.RECOMMENDATION, document.advice),
        *((concepts.ADDENDUM, concepts.FINDING, one.text) for one in document.addenda),
    )
    children = [
        container(heading, [text(element, words)])
        for heading, element, words in sections
        if words.strip()
    ]
    return container(
        concepts.IMAGING_REPORT, [*opening(source), *children], relation=None, template=TEMPLATE
    )
