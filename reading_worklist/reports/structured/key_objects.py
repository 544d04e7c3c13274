"""The frames that were picked for a report as a tree: Key Object Selection (PS3.16 TID 2010)."""

from typing import Final

from pydicom.dataset import Dataset

from reading_worklist.reports.structured import concepts
from reading_worklist.reports.structured.content_items import container, image, text
from reading_worklist.reports.structured.report import StructuredSource, in_language, observers

TEMPLATE: Final = "2010"


def key_objects_tree(source: StructuredSource) -> Dataset:
    """Return the root: who picked (the writer), for which report, and the frames in their order."""
    children = [
        in_language(source.language, of_country=False),
        *observers(source.signers[:1]),
        text(concepts.KEY_OBJECT_DESCRIPTION, source.document.title(source.language)),
        *(image(one) for one in source.key_images),
    ]
    return container(concepts.FOR_REPORT_ATTACHMENT, children, relation=None, template=TEMPLATE)
