"""Delivering to a DICOM receiver: C-STORE SCU (PS3.4 Annex B)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    EnhancedSRStorage,
    KeyObjectSelectionDocumentStorage,
)
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import SYNTAXES, NoAssociation, associate
from pacs_gateway.returns.channels import Channel, DeliveryAnswer, Parcel, Target
from pacs_gateway.tls import TlsUnusable, context_for
from storage.commitments import Reference
from storage.destination_trials import Finding, Tried
from storage.registry import Listener
from storage.registry.destination_settings import DicomSettings

# PS3.4 Annex A.
_ECHO: Final = UID("1.2.840.10008.1.1")
_PAGE: Final = UID(EncapsulatedPDFStorage)
_BESIDE: Final = (
    UID(BasicTextSRStorage),
    UID(EnhancedSRStorage),
    UID(KeyObjectSelectionDocumentStorage),
)
# The rest is for reading what is sent and for writing down what came of it.
_SHARE_OF_LEASE: Final = 0.75
_PATIENCE: Final = 20
"""Attempts after which a report is delivered without what is refused beside its page."""

# Success; stored, though not all of it as sent (PS3.4 B.2.3); and "duplicate SOP Instance" (PS3.7
# C.5.11): it has one of this UID, which is ours alone.
_TAKEN: Final = frozenset({0x0000, 0xB000, 0xB006, 0xB007, 0x0111})
_OUT_OF_RESOURCES: Final = range(0xA700, 0xA800)
# PS3.7 C.5.5, C.5.23: of what may pass by itself.
_PROCESSING_FAILURE: Final = 0x0110
_RESOURCE_LIMITATION: Final = 0x0213


class _Fate(Enum):
    """What became of one object; CLOSED: the receiver takes nothing of the kind just now."""

    TAKEN = auto()
    REFUSED = auto()
    LATER = auto()
    CLOSED = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class _Said:
    """What the receiver said of one object, or what kept us from asking, for a person."""

    fate: _Fate
    words: str


def open_channel(target: Target, config: ReturnsConfig) -> Channel:
    """Return a channel to an AE that takes C-STORE; it associates at its first parcel."""
    return DicomChannel(target, config)


class DicomChannel:
    """A receiver of report objects; not shared between threads.

    One association serves one parcel after the other. The page (Encapsulated PDF) is what people
    read: without it nothing is delivered. What comes beside it is sent again as long as it is
    refused for the time being; where it is refused for good, the report is delivered without it and
    the answer says so. What was taken once is not sent again.
    """

    def __init__(self, target: Target, config: ReturnsConfig) -> None:
        """Note where it is."""
        assert isinstance(target.settings, DicomSettings)
        self._settings = target.settings
        self._config = config
        self._listener = Listener(self._settings.ae_title, self._settings.host, self._settings.port)
        self._association: Association | None = None

    def send(self, parcel: Parcel) -> DeliveryAnswer:
        """Send what of the version has not been taken; delivered when the page is."""
        taken = parcel.taken()
        instances = [
            one
            for one in parcel.instances()
            if one.SOPInstanceUID not in taken
            and (one.SOPClassUID == _PAGE or self._settings.structured)
        ]
        until = time.monotonic() + self._config.lease_seconds * _SHARE_OF_LEASE
        said: list[tuple[Dataset, _Said]] = []
        for instance in instances:
            try:
                answer = self._offer(instance, until)
            except (NoAssociation, TlsUnusable) as error:
                return DeliveryAnswer.try_again(str(error), whole_destination=True)
            said.append((instance, answer))
            if answer.fate is _Fate.TAKEN:
                is_all = len(said) == len(instances) == len(_taken(said))
                # What ends a delivery is written with its end.
                if not is_all:
                    parcel.note_taken(str(instance.SOPInstanceUID), answer.words)
            elif answer.fate in {_Fate.CLOSED, _Fate.LOST} or instance.SOPClassUID == _PAGE:
                break
        answer = _summary(said, parcel.attempt_number)
        if not answer.is_delivered or not self._settings.commitment:
            return answer
        taken |= {str(one.SOPInstanceUID) for one in _taken(said)}
        return replace(
            answer,
            commit=tuple(
                Reference(str(one.SOPClassUID), str(one.SOPInstanceUID))
                for one in parcel.instances()
                if one.SOPInstanceUID in taken
            ),
        )

    def try_out(self) -> Tried:
        """Ask with C-ECHO (PS3.4 Annex A), and for the classes that a report would need."""
        try:
            association = self._associated(_ECHO)
        except NoAssociation as error:
            return Tried(error.finding, str(error))
        except TlsUnusable as error:
            return Tried(Finding.NOT_SET_UP, str(error))
        accepted = {UID(context.abstract_syntax or "") for context in association.accepted_contexts}
        said = "C-ECHO is not offered"
        if _ECHO in accepted:
            status = association.send_c_echo()
            if "Status" not in status:
                self._abort(association)
                return Tried(Finding.NO_ANSWER, "no answer to C-ECHO")
            said = f"C-ECHO status {int(status.Status):04X}H"
            if status.Status:
                return Tried(Finding.THEIR_ERROR, said)
        if _PAGE not in accepted:
            return Tried(Finding.NOT_TAKEN, f"{said}; it does not accept {_PAGE.name}")
        beside = _BESIDE if self._settings.structured else ()
        missing = [one.name for one in beside if one not in accepted]
        if missing:
            said += f"; reports go without what it does not accept: {', '.join(missing)}"
        return Tried(Finding.WORKS, said)

    def close(self) -> None:
        """Release the association."""
        association, self._association = self._association, None
        if association is not None and association.is_established:
            association.release()

    def _offer(self, instance: Dataset, until: float) -> _Said:
        """Send one object; on an association that has gone in the meantime once more."""
        kept = self._association
        reused = kept is not None and kept.is_established
        answer = self._store(instance, until)
        if answer.fate is _Fate.LOST and reused and time.monotonic() < until:
            return self._store(instance, until)
        return answer

    def _store(self, instance: Dataset, until: float) -> _Said:
        association = self._associated()
        accepted = {context.abstract_syntax for context in association.accepted_contexts}
        if instance.SOPClassUID not in accepted:
            where = f"{self._listener.ae_title} at {self._listener.host}:{self._listener.port}"
            what = UID(instance.SOPClassUID).name
            # Without the page nothing is delivered there, whichever report it is.
            fate = _Fate.CLOSED if instance.SOPClassUID == _PAGE else _Fate.REFUSED
            return _Said(fate, f"{where} does not accept {what}")
        left = max(until - time.monotonic(), 1.0)
        association.dimse_timeout = min(self._config.dimse_timeout_seconds, left)
        try:
            status = association.send_c_store(instance)
        except (ValueError, RuntimeError) as error:
            self._abort(association)
            return _Said(_Fate.LOST, f"not sent: {error}")
        if "Status" not in status:
            self._abort(association)
            return _Said(_Fate.LOST, "no answer to C-STORE before the association ended")
        code = int(status.Status)
        comment = str(status.get("ErrorComment", ""))
        words = f"C-STORE status {code:04X}H{f': {comment}' if comment else ''}"
        return _Said(_fate(code), words)

    def _associated(self, *also: str) -> Association:
        """Return the association, opened when there is none.

        also: SOP classes to ask for beside those of reports.

        Raises NoAssociation and TlsUnusable.
        """
        if self._association is not None and self._association.is_established:
            return self._association
        classes = (_PAGE, *_BESIDE) if self._settings.structured else (_PAGE,)
        contexts = [build_context(one, syntax) for one in (*also, *classes) for syntax in SYNTAXES]
        self._association = associate(
            self._listener,
            contexts,
            self._config,
            what=_PAGE.name,
            tls=context_for(self._settings.tls, self._settings.host),
        )
        return self._association

    def _abort(self, association: Association) -> None:
        self._association = None
        if association.is_established:
            association.abort()


def _taken(said: Sequence[tuple[Dataset, _Said]]) -> list[Dataset]:
    return [instance for instance, one in said if one.fate is _Fate.TAKEN]


def _fate(code: int) -> _Fate:
    """Return what a status of C-STORE means for us (PS3.4 Table B.2-1, PS3.7 C.5)."""
    if code in _TAKEN:
        return _Fate.TAKEN
    if code in _OUT_OF_RESOURCES or code == _RESOURCE_LIMITATION:
        return _Fate.CLOSED
    return _Fate.LATER if code == _PROCESSING_FAILURE else _Fate.REFUSED


def _summary(said: Sequence[tuple[Dataset, _Said]], attempt_number: int) -> DeliveryAnswer:
    words = "; ".join(
        one.words
        if instance.SOPClassUID == _PAGE
        else f"{UID(instance.SOPClassUID).name}: {one.words}"
        for instance, one in said
    )
    request = ", ".join(f"C-STORE {instance.SOPInstanceUID}" for instance, _ in said)
    fates = {one.fate for _, one in said}
    pages = {one.fate for instance, one in said if instance.SOPClassUID == _PAGE}
    is_hopeless = attempt_number >= _PATIENCE and pages <= {_Fate.TAKEN}
    if not fates - {_Fate.TAKEN, _Fate.REFUSED} or is_hopeless:
        if _Fate.REFUSED in pages:
            return DeliveryAnswer.refused(words, request=request)
        return DeliveryAnswer.delivered(words or "it has all of it already", request=request)
    return DeliveryAnswer.try_again(
        words, whole_destination=bool(fates & {_Fate.CLOSED, _Fate.LOST}), request=request
    )
