"""What the ECG routes answer."""

from datetime import datetime

from pydantic import BaseModel

from reading_worklist.ecg.asking import AskedEcg
from reading_worklist.ecg.captions import CAPTIONS, Language, recorded_filter_text
from reading_worklist.ecg.display_filter import DisplayFilter, diagnostic_filter, is_narrower
from reading_worklist.ecg.layout import LayoutName, natural_layout
from reading_worklist.ecg.service import StudyEcg
from storage.clock import utc_now
from storage.ecg.waveform import DeviceMeasurement, FilterSettings, LeadOrigin


class EcgFilterView(BaseModel):
    """The filters the device applied, in Hz; null where the file says nothing, 0 for off."""

    low_hz: float | None
    high_hz: float | None
    notch_hz: float | None


class EcgMeasurementView(BaseModel):
    """A value the device measured.

    name: heart_rate, atrial_rate, rr, pp, p_duration, pr, qrs, qt, qtc,
        qtc_bazett, qtc_fridericia, p_axis, qrs_axis, t_axis; for others the
        device's own name. Pages translate the former.
    value: null when the device says that it did not measure.
    lead: the lead it holds for, null for the whole ECG.
    """

    name: str
    device_name: str
    code: str
    value: float | None
    unit: str
    lead: str | None


class EcgLeadView(BaseModel):
    """A lead that can be shown; computed ones are not in the file."""

    name: str
    origin: LeadOrigin


class EcgInstanceView(BaseModel):
    """One of the study's ECGs; problem says why it cannot be read."""

    sop_instance_uid: str
    instance_number: int | None
    acquired_at: datetime | None
    problem: str | None


class EcgRecordView(BaseModel):
    """One ECG of a workitem, and which others its study holds.

    filter: the recorded filters in words, null when the file does not state them.
    diagnostic_filter: the band that the patient's age asks for.
    band_too_narrow: whether the device let through less than that, as far as the file says.
    notes: what had to be read leniently.
    """

    sop_instance_uid: str
    acquired_at: datetime | None
    manufacturer: str
    model: str
    sampling_frequency: float
    duration_seconds: float
    leads: list[str]
    lead_details: list[EcgLeadView]
    filter: str | None
    filter_settings: EcgFilterView | None
    diagnostic_filter: DisplayFilter
    band_too_narrow: bool
    natural_layout: LayoutName
    device_measurements: list[EcgMeasurementView]
    device_statements: list[str]
    notes: list[str]
    instances: list[EcgInstanceView]


def record_view(ecg: AskedEcg) -> EcgRecordView:
    """Return the answer for one record of a study."""
    chosen, record = ecg.chosen, ecg.record
    channels = [hit[1] for lead in record.leads() if (hit := record.find(lead))]
    unnamed = [
        channel
        for group in record.rhythm_groups
        for channel in group.channels
        if channel.lead is None
    ]
    details = [
        EcgLeadView(name=channel.label, origin=channel.origin) for channel in (*channels, *unnamed)
    ]
    settings = {channel.filters for channel in (*channels, *unnamed)}
    stated = any(one != FilterSettings() for one in settings)
    common = next(iter(settings)) if stated and len(settings) == 1 else None
    day = (chosen.acquired_at or utc_now()).date()
    needed = diagnostic_filter(ecg.birth_date, day)
    return EcgRecordView(
        sop_instance_uid=chosen.instance.sop_instance_uid,
        acquired_at=chosen.acquired_at,
        manufacturer=record.manufacturer,
        model=record.model,
        sampling_frequency=max(group.sampling_rate_hz for group in record.rhythm_groups),
        duration_seconds=record.duration_seconds,
        leads=[detail.name for detail in details],
        lead_details=details,
        filter=recorded_filter_text(settings, CAPTIONS[Language.EN]) if stated else None,
        filter_settings=_filter_view(common) if common else None,
        diagnostic_filter=needed,
        band_too_narrow=any(is_narrower(one, needed) for one in settings),
        natural_layout=natural_layout(record),
        device_measurements=[device_value_view(one) for one in record.measurements],
        device_statements=[statement.text for statement in record.statements],
        notes=list(record.notes),
        instances=[_instance_view(one) for one in ecg.others],
    )


def _filter_view(settings: FilterSettings) -> EcgFilterView:
    return EcgFilterView(
        low_hz=settings.low_hz, high_hz=settings.high_hz, notch_hz=settings.notch_hz
    )


def device_value_view(measurement: DeviceMeasurement) -> EcgMeasurementView:
    """Return a value of the device as the API gives it."""
    return EcgMeasurementView(
        name=measurement.concept.value if measurement.concept else measurement.name,
        device_name=measurement.name,
        code=measurement.code,
        value=measurement.value,
        unit=measurement.unit,
        lead=measurement.lead.value if measurement.lead else None,
    )


def _instance_view(ecg: StudyEcg) -> EcgInstanceView:
    return EcgInstanceView(
        sop_instance_uid=ecg.instance.sop_instance_uid,
        instance_number=ecg.instance.instance_number,
        acquired_at=ecg.acquired_at,
        problem=ecg.error.what if ecg.error else None,
    )
