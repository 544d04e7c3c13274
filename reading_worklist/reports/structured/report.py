"""What a structured report is made from, and what every kind of it begins with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

from reading_worklist.reports.document import ReportDocument
from reading_worklist.reports.structured import concepts
from reading_worklist.reports.structured.content_items import (
    InstanceReference,
    Relation,
    code,
    person,
    text,
)
from reading_worklist.typesetting.labels import Language

_LANGUAGES: Final = {
    Language.EN: (concepts.ENGLISH, None),
    Language.ZH_CN: (concepts.CHINESE, concepts.CHINA),
}


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A doctor whose signature a report carries; at: aware."""

    name: str
    organisation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StructuredSource:
    """A signed report, as a tree is made from it.

    language: in which the text was signed. signers: writer first.
    waveform: what was read; None where the study has nothing that is referred to.
    key_images: frames that were picked for the report, in its order.
    evidence: the instances of the study that was read, what is referred to among them.
    """

    document: ReportDocument
    language: Language
    signers: Sequence[SignedBy]
    waveform: InstanceReference | None = None
    key_images: Sequence[InstanceReference] = ()
    evidence: Sequence[InstanceReference] = ()


def opening(source: StructuredSource) -> list[Dataset]:
    """Return language (TID 1204) and observers (TID 1002, 1003): the first rows of a report."""
    return [in_language(source.language), *observers(source.signers)]


def in_language(used: Language, *, of_country: bool = True) -> Dataset:
    """Return in which language a document is (TID 1204).

    of_country: whether to say of which country; a Key Object Document has no place for it (PS3.3
        A.35.4.3.1.2).
    """
    language, country = _LANGUAGES[used]
    in_country = (
        []
        if country is None or not of_country
        else [code(concepts.COUNTRY, country, relation=Relation.HAS_CONCEPT_MOD)]
    )
    return code(concepts.LANGUAGE, language, *in_country, relation=Relation.HAS_CONCEPT_MOD)


def observers(signers: Sequence[SignedBy]) -> list[Dataset]:
    """Return who says what a document says (TID 1002, 1003)."""
    items: list[Dataset] = []
    context = Relation.HAS_OBS_CONTEXT
    for signer in signers:
        items.append(code(concepts.OBSERVER_TYPE, concepts.PERSON, relation=context))
        items.append(person(concepts.PERSON_OBSERVER_NAME, signer.name, relation=context))
        if signer.organisation:
            items.append(
                text(concepts.PERSON_OBSERVER_ORGANISATION, signer.organisation, relation=context)
            )
    return items
