"""How a report goes to a destination: one module per kind, all of one shape.

A channel is opened for one destination and used for several parcels one after the other, so that a
connection serves a queue. It connects at its first parcel. What it answers is what the engine goes
by, and nothing else: only the receiver's own word makes a delivery delivered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol, Self, cast
from uuid import UUID

from pydicom.dataset import Dataset

from pacs_gateway.config import ReturnsConfig
from storage.commitments import Reference
from storage.destination_trials import Tried
from storage.issued_reports import IssuedReport
from storage.registry import Destination
from storage.registry.destination_settings import DestinationKind, Settings

KEPT_CHARACTERS: Final = 4000
"""Of a request and of an answer, in the record of an attempt."""


class Outcome(StrEnum):
    """What came of an attempt.

    DELIVERED: the receiver says that it has it. REFUSED: it says that it will not take this, and
    trying again would change nothing: a person must look. TRY_AGAIN: anything else.
    """

    DELIVERED = "delivered"
    REFUSED = "refused"
    TRY_AGAIN = "try_again"


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """How an attempt ended. Make it with `delivered`, `refused` or `try_again`.

    said: what the receiver said, or what kept us from asking it, in words for a person; it is shown
        on pages and must not name the patient.
    whole_destination: of TRY_AGAIN: nothing else would get through either (not reached, no answer,
        full), so that the whole queue waits; otherwise this parcel alone is put off.
    wait_seconds: of TRY_AGAIN: how long the receiver asks to be left alone at least; None: it does
        not say.
    commit: of DELIVERED: objects that the receiver shall be asked to commit itself to.
    request, response: what was sent and answered, for the record of the attempt. They may hold
        patient data, are cut to `KEPT_CHARACTERS`, and never go to a log. Leave out documents.
    """

    outcome: Outcome
    said: str
    whole_destination: bool = False
    request: str = ""
    response: str = ""
    wait_seconds: float | None = None
    commit: tuple[Reference, ...] = ()

    @classmethod
    def delivered(cls, said: str, *, request: str = "", response: str = "") -> Self:
        """The receiver's own answer says that it has the report."""
        return cls(Outcome.DELIVERED, said, request=request, response=response)

    @classmethod
    def refused(cls, said: str, *, request: str = "", response: str = "") -> Self:
        """The receiver will never take this as it is."""
        return cls(Outcome.REFUSED, said, request=request, response=response)

    @classmethod
    def try_again(
        cls,
        said: str,
        *,
        whole_destination: bool,
        request: str = "",
        response: str = "",
        wait_seconds: float | None = None,
    ) -> Self:
        """It may get through later."""
        return cls(
            Outcome.TRY_AGAIN,
            said,
            whole_destination=whole_destination,
            request=request,
            response=response,
            wait_seconds=wait_seconds,
        )

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.outcome is Outcome.DELIVERED


@dataclass(frozen=True, slots=True)
class Replaced:
    """A version that this destination got, or may have got, and that does not stand any more.

    sop_instance_uid: of its encapsulated PDF.
    """

    report_version_id: UUID
    version_number: int
    sop_instance_uid: str


class PartMissing(Exception):
    """Something of a parcel cannot be had; the text says what, for a person.

    for_good: whether waiting would change nothing.
    """

    def __init__(self, what: str, *, for_good: bool = False) -> None:
        super().__init__(what)
        self.for_good = for_good


class Parcel(Protocol):
    """What a channel may ask for about one delivery; everything large is read when asked for.

    Handing on the same parcel again must have no second effect at the receiver: whatever identifies
    it there (SOP Instance UID, MSH-10, a FHIR identifier, a webhook's id) is made from
    `report_version_id`, or from `delivery_id` where the transmission is meant.

    transmission: how often it was answered for good before, so that this is a repeat that somebody
        wants: a receiver that would pass over what it knows has to be given another number.

    report_version_id: the version's, or a revocation notice's own id.
    is_notice: whether it says that the report is void.
    replaces: earlier versions, and notices that one was void, that have to go at this destination.
    sop_instance_uid: of the encapsulated PDF.
    """

    @property
    def delivery_id(self) -> UUID: ...  # noqa: D102
    @property
    def report_version_id(self) -> UUID: ...  # noqa: D102
    @property
    def workitem_id(self) -> UUID: ...  # noqa: D102
    @property
    def study_id(self) -> UUID: ...  # noqa: D102
    @property
    def version_number(self) -> int: ...  # noqa: D102
    @property
    def attempt_number(self) -> int: ...  # noqa: D102
    @property
    def transmission(self) -> int: ...  # noqa: D102
    @property
    def is_notice(self) -> bool: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def issued_at(self) -> datetime: ...  # noqa: D102
    @property
    def sop_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def replaces(self) -> tuple[Replaced, ...]: ...  # noqa: D102

    def report(self) -> IssuedReport:
        """Return the report in its neutral form.

        Raises PartMissing: it was issued before such forms were kept and is not described yet.
        """
        ...

    def replaced_reports(self) -> list[IssuedReport]:
        """Return those of `replaces` in their neutral form, oldest first.

        One that was issued before such forms were kept is left out.
        """
        ...

    def pdf(self) -> bytes:
        """Return the signed PDF, after comparing it with its digest.

        Raises:
            PartMissing: the stored bytes are not those that were signed.
            ObjectStoreError: it cannot be read just now.
        """
        ...

    def instances(self) -> list[Dataset]:
        """Return the objects for a PACS, the encapsulated PDF first.

        Each has its file meta information. Raises as `pdf`, and PartMissing when the study has no
        instance left to belong to.
        """
        ...

    def taken(self) -> frozenset[str]:
        """Return the SOP Instance UIDs of the objects that this destination has taken already."""
        ...

    def note_taken(self, sop_instance_uid: str, answer: str) -> None:
        """Note at once that the destination has an object, whatever becomes of the others."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """A destination as a channel sees it. settings: of its kind."""

    id: UUID
    site_id: UUID
    kind: DestinationKind
    name: str
    settings: Settings

    @classmethod
    def of(cls, destination: Destination) -> Self:
        """Return a destination of the registry.

        Raises:
            RegistryRefused: its settings cannot be read.
        """
        return cls(
            destination.id,
            destination.site_id,
            destination.kind,
            destination.name or destination.ae_title,
            destination.typed_settings,
        )


class Channel(Protocol):
    """A road to one destination; not shared between threads."""

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Bring one parcel and return what came of it; a refusal or a dead peer is no error here.

        It ends within `ReturnsConfig.lease_seconds`, whatever the peer does. PartMissing and
        ObjectStoreError of the parcel pass through.
        """
        ...

    def try_out(self) -> Tried:
        """Find out without a report, and without anything of a patient, whether one would arrive.

        It ends within `ReturnsConfig.lease_seconds`; a receiver that is dead or refuses is no error
        here.
        """
        ...

    def close(self) -> None:
        """Part from the peer; raises nothing and waits for nothing but a short farewell."""
        ...


Opener = Callable[[Target, ReturnsConfig], Channel]
"""Makes a channel without connecting it."""

# Named and not imported: a worker loads the roads that its destinations take.
_OPENERS: Final[Mapping[DestinationKind, str]] = MappingProxyType(
    {
        DestinationKind.DICOM: "pacs_gateway.returns.dicom_destination:open_channel",
        DestinationKind.HL7: "pacs_gateway.returns.hl7_destination:open_channel",
        DestinationKind.FHIR: "pacs_gateway.returns.fhir_destination:open_channel",
        DestinationKind.WEBHOOK: "pacs_gateway.returns.webhook_destination:open_channel",
        DestinationKind.NOTICE: "pacs_gateway.returns.notice_destination:open_channel",
    }
)


def opener(kind: DestinationKind) -> Opener:
    """Return what opens a channel to destinations of a kind."""
    module, _, name = _OPENERS[kind].partition(":")
    return cast("Opener", getattr(import_module(module), name))
