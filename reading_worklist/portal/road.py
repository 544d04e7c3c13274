"""The road of an exam as its site sees it, and whether its images may leave the modality."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storage.orders.states import ExamState


class ExamStep(StrEnum):
    """The last step that an exam has passed, in the order of the road.

    SIGNED: a report that stands is issued, preliminary or final.
    """

    ORDERED = "ordered"
    CHECKED_IN = "checked_in"
    ACQUIRED = "acquired"
    RECEIVING = "receiving"
    QUEUED = "queued"
    READING = "reading"
    SIGNED = "signed"
    DELIVERED = "delivered"
    OPENED = "opened"


class Attention(StrEnum):
    """Why somebody of the site has to look at an exam.

    IDENTITY: whose images they are is not sure. REJECTED: they cannot be read.
    """

    IDENTITY = "identity"
    RETAKE = "retake"
    REJECTED = "rejected"
    INCOMPLETE = "incomplete"


class Need(StrEnum):
    """What exams can want of the site.

    ATTENTION: whose images they are is in question, or not all are here; retakes have a list of
    their own. UNOPENED: a report that nobody has opened. LATE: ordered, and their images should be
    here.
    """

    ATTENTION = "attention"
    UNOPENED = "unopened"
    LATE = "late"


_ATTENTION: Final = {
    ExamState.IDENTITY_HOLD: Attention.IDENTITY,
    ExamState.RETAKE: Attention.RETAKE,
    ExamState.REJECTED_QUALITY: Attention.REJECTED,
}

ORDER_STEPS: Final = {
    ExamState.REQUESTED: ExamStep.ORDERED,
    ExamState.CHECKED_IN: ExamStep.CHECKED_IN,
    ExamState.ACQUIRED: ExamStep.ACQUIRED,
}
"""Of an exam whose images have not begun to come; every other state counts as ordered."""


def attention_of(state: ExamState | None, missing_instances: int) -> Attention | None:
    """Return why the site has to look at an exam whose images are here; None when it need not.

    state: of its order, None while it has none.
    """
    if state is not None and state in _ATTENTION:
        return _ATTENTION[state]
    return Attention.INCOMPLETE if missing_instances else None


class Verdict(StrEnum):
    """Whether the images of an exam may be deleted from the modality.

    SAFE: as many as the device says it made are kept, each looked for in the store just now.
    STORED: all that was sent is kept, but the device has not said how many there are.
    NOT_YET: they must stay there.
    """

    SAFE = "safe"
    STORED = "stored"
    NOT_YET = "not_yet"


class Obstacle(StrEnum):
    """Why the images must stay on the modality, the plainest first.

    LOST: the index knows instances that the store does not have.
    """

    NOT_RECEIVED = "not_received"
    RECEIVING = "receiving"
    MISSING = "missing"
    PERFORMING = "performing"
    QUARANTINED = "quarantined"
    IDENTITY = "identity"
    RETAKE = "retake"
    PURGED = "purged"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class KeptFacts:
    """What is known of the images of an exam.

    received: instances in the index. expected: how many the device says it made; None when it has
        not said. missing: of these, those not here. performing: the device has not finished.
    receiving: more may be on the way. quarantined: instances kept aside for a person.
    committed: the device asked about every one of them, and was told that they are kept.
    lost: instances of the index that the store does not have; None while nobody has looked.
    """

    received: int
    expected: int | None = None
    missing: int = 0
    performing: bool = False
    receiving: bool = False
    quarantined: int = 0
    attention: Attention | None = None
    purged: bool = False
    committed: bool = False
    lost: int | None = None


def judge(facts: KeptFacts) -> tuple[Verdict, Obstacle | None]:
    """Return whether images may be deleted from the modality, and what speaks against it first.

    Only with `lost` known can the verdict be anything but NOT_YET or STORED: nothing is called safe
    that was not looked for.
    """
    obstacle = _obstacle(facts)
    if obstacle is not None:
        return Verdict.NOT_YET, obstacle
    counted = facts.committed or (facts.expected is not None and facts.received >= facts.expected)
    return (Verdict.SAFE if counted and facts.lost == 0 else Verdict.STORED), None


def _obstacle(facts: KeptFacts) -> Obstacle | None:
    for applies, obstacle in (
        (facts.purged, Obstacle.PURGED),
        (facts.received == 0, Obstacle.NOT_RECEIVED),
        (facts.receiving, Obstacle.RECEIVING),
        (facts.performing, Obstacle.PERFORMING),
        (facts.missing > 0, Obstacle.MISSING),
        (facts.quarantined > 0, Obstacle.QUARANTINED),
        (facts.attention is Attention.IDENTITY, Obstacle.IDENTITY),
        (facts.attention in _SENT_BACK, Obstacle.RETAKE),
        (bool(facts.lost), Obstacle.LOST),
    ):
        if applies:
            return obstacle
    return None


_SENT_BACK: Final[Collection[Attention | None]] = (Attention.RETAKE, Attention.REJECTED)
