"""What an ECG's report has beside the text: values, statements, the device's words, the trace."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.ecg.captions import CAPTIONS, recorded_filter_text
from reading_worklist.ecg.captions import Language as CaptionLanguage
from reading_worklist.ecg.drawing import DrawingOptions, draw
from reading_worklist.ecg.quality.findings import Code
from reading_worklist.ecg.queries import EcgInstance, waveforms_of_study
from reading_worklist.ecg.service import first_ecg, list_ecgs
from reading_worklist.reports.document import EcgBlock, EcgMeasurement, EcgSource, EcgTrace
from reading_worklist.reports.ecg_draft import MEASURES, DraftEcg, unit_of, written
from reading_worklist.reports.ecg_measured import Measured, measured, poor_leads
from reading_worklist.typesetting.labels import Language
from storage.database import Database
from storage.ecg.errors import EcgError
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord
from storage.index.tables import Instance, Series
from storage.objects import ObjectStore

# What an A4 page in landscape leaves for the trace; a taller one would get a larger page, which
# a printer shrinks, and its millimetres would not be true any more.
_PAGE_HEIGHT_MM: Final = 162.0


def ecg_block(
    database: Database,
    objects: ObjectStore,
    study_id: UUID,
    *,
    time_zone: str,
    language: Language,
    draft: DraftEcg,
) -> EcgBlock:
    """Return the block of a study's first ECG with what its draft has confirmed.

    Without values and trace when none can be read. Reads objects: call it outside of a transaction.
    """
    read = _first(database, objects, study_id, time_zone)
    if read is None:
        # A printed or scanned ECG is read as a document, and its report has words alone.
        return EcgBlock(measurements=tuple(_confirmed(draft)))
    instance, record = read
    with database.transaction() as session:
        found = measured(session, study_id, instance.sop_instance_uid)
        poor = poor_leads(session, study_id, instance.sop_instance_uid)
        source = _source(session, study_id, instance, record)
    return EcgBlock(
        measurements=(*_device(record), *_centre(found), *_confirmed(draft)),
        device_statements=tuple(statement.text for statement in record.statements),
        traces=(_trace(record, CaptionLanguage(language.value), poor),),
        method=found.method if found else "",
        corrected=found is not None and found.corrected,
        source=source,
    )


def ecg_values(
    database: Database, objects: ObjectStore, study_id: UUID, time_zone: str
) -> tuple[EcgMeasurement, ...]:
    """Return what device and centre measured on a study's first ECG; nothing when none is read.

    Reads objects: call it outside of a transaction.
    """
    read = _first(database, objects, study_id, time_zone)
    if read is None:
        return ()
    instance, record = read
    with database.transaction() as session:
        found = measured(session, study_id, instance.sop_instance_uid)
    return (*_device(record), *_centre(found))


def _first(
    database: Database, objects: ObjectStore, study_id: UUID, time_zone: str
) -> tuple[EcgInstance, EcgRecord] | None:
    with database.transaction() as session:
        instances = waveforms_of_study(session, study_id)
    try:
        first, record = first_ecg(objects, list_ecgs(objects, instances, ZoneInfo(time_zone)))
    except EcgError:
        return None
    return first.instance, record


def _source(
    session: Session, study_id: UUID, instance: EcgInstance, record: EcgRecord
) -> EcgSource:
    sop_class_uid, series_instance_uid = session.execute(
        select(Instance.sop_class_uid, Series.series_instance_uid)
        .join(Series, Series.id == Instance.series_id)
        .where(
            Instance.study_id == study_id,
            Instance.sop_instance_uid == instance.sop_instance_uid,
        )
    ).one()
    leads = set(record.leads())
    return EcgSource(
        series_instance_uid=series_instance_uid,
        sop_class_uid=sop_class_uid,
        sop_instance_uid=instance.sop_instance_uid,
        sampling_rate_hz=record.rhythm_groups[0].sampling_rate_hz,
        twelve_leads=leads.issuperset(STANDARD_LEADS),
    )


def _device(record: EcgRecord) -> list[EcgMeasurement]:
    """Return the device's global values, as the file has them."""
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


def _centre(found: Measured | None) -> list[EcgMeasurement]:
    if found is None:
        return []
    return [
        EcgMeasurement(
            name=name,
            value="" if one.value is None else written(name, one.value),
            unit=unit_of(name),
            source="centre",
            reason=one.reason,
        )
        for name in MEASURES
        if (one := found.values.get(name)) is not None
    ]


def _confirmed(draft: DraftEcg) -> list[EcgMeasurement]:
    return [
        EcgMeasurement(
            name=name,
            value="" if value is None else written(name, value),
            unit=unit_of(name),
            source="confirmed",
        )
        for name in MEASURES
        if name in draft.confirmed
        for value in (draft.confirmed[name],)
    ]


def _trace(
    record: EcgRecord, language: CaptionLanguage, poor: Mapping[Lead, tuple[Code, ...]]
) -> EcgTrace:
    options = DrawingOptions(language=language, findings=poor, max_height_mm=_PAGE_HEIGHT_MM)
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
