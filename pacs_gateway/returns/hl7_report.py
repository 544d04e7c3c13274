"""An issued report as unsolicited observation message, ORU^R01 (HL7 v2.5.1 §7.3.1).

Everything in a message follows from the report version and the destination, its time and control
id included, so that what is sent again is the same message, byte for byte, and its receiver can
tell that.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pacs_gateway.hl7 import writing
from pacs_gateway.returns.hl7_fields import (
    interpreter,
    names,
    requester,
    responsible,
    service_section,
)
from pacs_gateway.returns.hl7_observations import (
    Content,
    Observation,
    TextType,
    observations,
)
from storage.issued_reports import IssuedReport
from storage.report_status import STATUS, IssuedKind

CharacterSet = Literal["UNICODE UTF-8", "GB18030"]
Acknowledgement = Literal["original", "commit", "application"]

VERSION: Final = "2.5.1"
CONTROL_ID_LENGTH: Final = 20
CODECS: Final[Mapping[CharacterSet, str]] = {"UNICODE UTF-8": "utf-8", "GB18030": "gb18030"}
# Table 0211 spells it so.
_NAMES_OF_SETS: Final[Mapping[CharacterSet, str]] = {
    "UNICODE UTF-8": "UNICODE UTF-8",
    "GB18030": "GB 18030-2000",
}
# MSH-15 and MSH-16 (table 0155), by what the receiver shall acknowledge (§2.9.2, §2.9.3).
_ASKED: Final[Mapping[Acknowledgement, tuple[str, str]]] = {
    "original": ("", ""),
    "commit": ("AL", "NE"),
    "application": ("AL", "AL"),
}
_VISIT_CLASSES: Final = {
    "outpatient": "O",
    "inpatient": "I",
    "emergency": "E",
    "checkup": "O",
}
# Table 0038: of a void report nothing is said, since the exam was done all the same.
_ORDER_STATUS: Final = {IssuedKind.PRELIMINARY: "A", IssuedKind.NOTICE: ""}
_SEXES: Final = frozenset({"M", "F", "O"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSettings:
    """What a destination wants of a message.

    application, facility: ours, MSH-3 and MSH-4; an empty facility: the code of the centre.
    receiving_application, receiving_facility: MSH-5 and MSH-6.
    """

    application: str
    facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    character_set: CharacterSet = "UNICODE UTF-8"
    content: Content = "both"
    text_type: TextType = "FT"
    acknowledgement: Acknowledgement = "original"


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message as it goes out. control_id: MSH-10, which its acknowledgement has to name."""

    control_id: str
    content: bytes


def control_id(
    report_version_id: UUID, destination_id: UUID, *, transmission: int = 0, part: str = ""
) -> str:
    """Return MSH-10 of a version at a destination: 20 letters and digits, always the same.

    transmission: how often the receiver has answered it for good; what is sent anew after that, by
        a person's wish, shall not be passed over as known.
    part: what tells apart the messages of a version that needs several; "" for the report itself.
    """
    named = f"{report_version_id}:{destination_id}:{transmission}:{part}".encode()
    return base64.b32encode(hashlib.sha256(named).digest()).decode("ascii")[:CONTROL_ID_LENGTH]


def write_messages(
    report: IssuedReport,
    earlier: Sequence[IssuedReport],
    destination_id: UUID,
    settings: MessageSettings,
    *,
    pdf: bytes | None,
    transmission: int = 0,
) -> tuple[WrittenMessage, ...]:
    """Return the messages that bring a report, to be sent in this order.

    One, unless earlier versions went out under another patient or order number: what they told is
    withdrawn first, by a message of its own for each, since a receiver changes the results that a
    message names by patient and order, and no others.

    earlier: the versions before this one that the receiver may have; a notice's include the void
        one.
    pdf: the signed document; not used with the content "text".
    transmission: as of `control_id`.
    """
    earlier = sorted(earlier, key=lambda one: (one.version_number, one.times.issued))
    moved: dict[tuple[str, ...], list[IssuedReport]] = {}
    for one in earlier:
        if _known_by(one) != _known_by(report):
            moved.setdefault(_known_by(one), []).append(one)
    same = [one for one in earlier if _known_by(one) == _known_by(report)]
    parts = {
        "|".join(place): _Writer(_void(former[-1], report), settings).withdrawal(former)
        for place, former in sorted(moved.items())
    }
    parts[""] = _Writer(report, settings).result(same, pdf)
    codec = CODECS[settings.character_set]
    written: list[WrittenMessage] = []
    for part, segments in parts.items():
        known = control_id(
            report.report_version_id, destination_id, transmission=transmission, part=part
        )
        stamp = writing.time_stamp(report.times.issued, ZoneInfo(report.time_zone))
        head = header(settings, known, stamp, "ORU^R01^ORU_R01", report.centre.code)
        text = writing.message([head, *segments])
        # Lone surrogates are never written, so every text has its bytes.
        written.append(WrittenMessage(known, text.encode(codec)))
    return tuple(written)


def _known_by(report: IssuedReport) -> tuple[str, ...]:
    """Return by what a receiver finds the results of a report."""
    patient, order = report.patient, report.order
    return (
        patient.local_id or "",
        patient.issuer or "",
        order.placer_order_number,
        order.filler_order_number,
    )


def _void(former: IssuedReport, by: IssuedReport) -> IssuedReport:
    """Return a former version as void since another was issued, under its own patient and order."""
    return replace(
        former,
        kind=IssuedKind.NOTICE,
        predecessor=None,
        times=replace(former.times, issued=by.times.issued),
    )


def header(settings: MessageSettings, known: str, stamp: str, kind: str, centre: str) -> str:
    """Return MSH. known: MSH-10. stamp: MSH-7. kind: MSH-9. centre: its code."""
    accept, application = _ASKED[settings.acknowledgement]
    return writing.segment(
        "MSH",
        {
            3: writing.escaped(settings.application),
            4: writing.escaped(settings.facility or centre),
            5: writing.escaped(settings.receiving_application),
            6: writing.escaped(settings.receiving_facility),
            7: stamp,
            9: kind,
            10: known,
            11: "P",
            12: VERSION,
            15: accept,
            16: application,
            17: "CHN",
            18: _NAMES_OF_SETS[settings.character_set],
        },
    )


class _Writer:
    """Writes the segments below MSH of one message."""

    def __init__(self, report: IssuedReport, settings: MessageSettings) -> None:
        self._report = report
        self._settings = settings
        self._zone = ZoneInfo(report.time_zone)

    def result(self, earlier: Sequence[IssuedReport], pdf: bytes | None) -> list[str]:
        report = self._report
        words = STATUS[report.kind]
        observed = list(self._observations(report, pdf))
        told = self._told(earlier)
        kept = {one.identity.key for one in observed}
        gone = [one for key, one in told.items() if key not in kept]
        lines = [*self._heading(words.order)]
        if report.kind is IssuedKind.NOTICE:
            # What the notice says stands, and corrects what was told under the same name.
            standing = [
                replace(one, status="C" if one.identity.key in told else "F") for one in observed
            ]
            lines += self._lines(standing, "F", 1)
            lines += self._lines(gone, words.observation, len(observed) + 1)
        else:
            lines += self._lines(observed, words.observation, 1)
            lines += self._lines(gone, "D", len(observed) + 1)
        return lines

    def withdrawal(self, former: Iterable[IssuedReport]) -> list[str]:
        words = STATUS[IssuedKind.NOTICE]
        return [
            *self._heading(words.order),
            *self._lines(list(self._told(former).values()), words.observation, 1),
        ]

    def _observations(self, report: IssuedReport, pdf: bytes | None) -> Iterator[Observation]:
        return observations(
            report,
            content=self._settings.content,
            text_type=self._settings.text_type,
            pdf=pdf,
        )

    def _told(self, earlier: Iterable[IssuedReport]) -> dict[tuple[str, str], Observation]:
        """Return what earlier versions told, without the values, by the key of its identity."""
        return {
            one.identity.key: Observation(identity=one.identity, data_type=one.data_type, value="")
            for report in earlier
            for one in self._observations(report, None)
        }

    def _heading(self, order_status: str) -> Iterator[str]:
        yield self._pid()
        yield self._pv1()
        yield self._orc()
        yield self._obr(order_status)
        yield from self._notes()

    def _pid(self) -> str:
        patient = self._report.patient
        issuer = patient.issuer or self._report.site.code
        return writing.segment(
            "PID",
            {
                1: "1",
                3: writing.components(patient.local_id, "", "", issuer, "PI"),
                5: names(patient),
                7: writing.date_stamp(patient.birth_date),
                8: patient.sex if patient.sex in _SEXES else "U",
            },
        )

    def _pv1(self) -> str:
        visit = self._report.visit
        return writing.segment(
            "PV1",
            {
                1: "1",
                2: _VISIT_CLASSES.get(visit.visit_type, "U"),
                3: writing.components(visit.department, "", visit.bed, self._report.site.code),
                19: writing.escaped(visit.visit_number),
            },
        )

    def _orc(self) -> str:
        report, order = self._report, self._report.order
        return writing.segment(
            "ORC",
            {
                1: "RE",
                2: writing.escaped(order.placer_order_number),
                3: self._filler(),
                5: _ORDER_STATUS.get(report.kind, "CM"),
                9: writing.time_stamp(report.times.issued, self._zone),
                12: requester(order.requester),
            },
        )

    def _filler(self) -> str:
        """Return ORC-3; where no order has a number, that of our own work on the exam."""
        number = self._report.order.filler_order_number
        return writing.escaped(number or f"{self._report.workitem_id.hex}")

    def _obr(self, status: str) -> str:
        report, order, exam = self._report, self._report.order, self._report.exam
        procedure = order.procedure or exam.description or report.title
        acquired = writing.time_stamp(report.times.acquired, self._zone)
        return writing.segment(
            "OBR",
            {
                1: "1",
                2: writing.escaped(order.placer_order_number),
                3: self._filler(),
                4: writing.components(order.procedure_code or exam.modality, procedure, "L"),
                7: acquired or writing.date_stamp(exam.study_date),
                13: writing.escaped(order.clinical_diagnosis),
                16: requester(order.requester),
                18: writing.escaped(order.accession_number),
                19: writing.escaped(order.requested_procedure_id),
                22: writing.time_stamp(report.times.issued, self._zone),
                24: service_section(report),
                25: status,
                31: writing.components("", order.reason),
                32: interpreter(report.reviewer or report.writer, self._zone),
                33: interpreter(report.writer if report.reviewer else None, self._zone),
            },
        )

    def _notes(self) -> Iterator[str]:
        report = self._report
        told = [f"Version {report.version_number}, {report.status}"]
        if report.predecessor is not None:
            does = "voids" if report.kind is IssuedKind.NOTICE else "replaces"
            told.append(f"{does} version {report.predecessor.version_number}")
        if report.document.verification_code:
            told.append(f"verification code {report.document.verification_code}")
        yield writing.segment("NTE", {1: "1", 2: "L", 3: writing.escaped("; ".join(told))})

    def _lines(self, observed: Sequence[Observation], status: str, first: int) -> Iterator[str]:
        for number, one in enumerate(observed, first):
            yield self._obx(one, number, status)
            if one.note:
                yield writing.segment("NTE", {1: "1", 2: "L", 3: writing.formatted(one.note)})

    def _obx(self, one: Observation, number: int, status: str) -> str:
        report = self._report
        observed_at = one.observed_at or report.times.acquired
        signer = report.reviewer or report.writer
        return writing.segment(
            "OBX",
            {
                1: str(number),
                2: one.data_type,
                3: one.identity.code,
                4: one.identity.sub_id,
                5: one.value,
                6: one.unit,
                8: one.flag,
                11: status if status in _WITHDRAWN else one.status or status,
                14: writing.time_stamp(observed_at, self._zone)
                or writing.date_stamp(report.exam.study_date),
                15: writing.components(report.centre.code, report.centre.name, "L"),
                16: "" if signer is None else responsible(signer),
                17: one.method,
                19: writing.time_stamp(report.times.issued, self._zone),
                23: writing.components(
                    report.centre.name, "", "", "", "", "", "", "", "", report.centre.code
                ),
            },
        )


_WITHDRAWN: Final = frozenset({"D", "W"})
