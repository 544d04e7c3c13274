"""What an ECG's report has beside the text: the device's values and statements, and the trace."""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from reading_worklist.ecg.captions import CAPTIONS, recorded_filter_text
from reading_worklist.ecg.captions import Language as CaptionLanguage
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.queries import waveforms_of_study
from reading_worklist.ecg.service import first_ecg, list_ecgs
from reading_worklist.reports.document import EcgBlock, EcgMeasurement, EcgTrace
from reading_worklist.typesetting.labels import Language
from storage.database import Database
from storage.ecg.errors import EcgError
from storage.ecg.waveform import EcgRecord
from storage.objects import ObjectStore

# What an A4 page in landscape leaves for the trace; a taller one would get a larger page, which
# a printer shrinks, and its millimetres would not be true any more.
_PAGE_HEIGHT_MM: Final = 162.0


def ecg_block(
    database: Database, objects: ObjectStore, study_id: UUID, time_zone: str, language: Language
) -> EcgBlock:
    """Return the block of a study's first ECG; without values and trace when none can be read.

    Reads objects: call it outside of a transaction.
    """
    with database.transaction() as session:
        instances = waveforms_of_study(session, study_id)
    try:
        _, record = first_ecg(objects, list_ecgs(objects, instances, ZoneInfo(time_zone)))
    except EcgError:
        # A printed or scanned ECG is read as a document, and its report has words alone.
        return EcgBlock()
    return EcgBlock(
        measurements=tuple(_measurements(record)),
        device_statements=tuple(statement.text for statement in record.statements),
        traces=(_trace(record, CaptionLanguage(language.value)),),
    )


def _measurements(record: EcgRecord) -> list[EcgMeasurement]:
    return [
        EcgMeasurement(
            name=one.concept.value if one.concept else one.name,
            value=f"{one.value:g}",
            unit=one.unit,
            source="device",
        )
        for one in record.measurements
        if one.value is not None and one.lead is None
    ]


def _trace(record: EcgRecord, language: CaptionLanguage) -> EcgTrace:
    options = DrawingOptions(language=language, max_height_mm=_PAGE_HEIGHT_MM)
    drawn = draw(record, options)
    group = record.rhythm_groups[0]
    return EcgTrace(
        svg=drawn.svg,
        width_mm=drawn.width_mm,
        height_mm=drawn.height_mm,
        speed=float(options.speed),
        gain=float(options.gain),
        filter=recorded_filter_text(
            (channel.filters for channel in group.channels), CAPTIONS[language]
        ),
        sampling=f"{group.sampling_rate_hz:g} Hz",
    )
