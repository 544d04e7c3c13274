"""A few seconds of one lead for lists: enough to see that an ECG came and how it looks."""

from typing import Final

import numpy as np

from reading_worklist.ecg.polyline import (
    UNITS_PER_MM,
    extremes_per_step,
    path_data,
    runs_without_gaps,
    significant_points,
)
from reading_worklist.ecg.quality.findings import Quality
from reading_worklist.ecg.svg import escaped
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord

_SECONDS: Final = 4.0
_MM_PER_SECOND: Final = 25.0
_MM_PER_MICROVOLT: Final = 0.005
_HEIGHT_MM: Final = 16.0
_STEP_MM: Final = 0.25
# Readable on a light and on a dark page: a picture does not know on which it stands.
_COLOUR: Final = "#6a7d8c"
_ORDER: Final = (Lead.II, Lead.I, Lead.V5, *STANDARD_LEADS, *Lead)


def draw_thumbnail(record: EcgRecord, quality: Quality) -> str | None:
    """Return the first seconds of lead II as SVG, or of another fit lead; None when none is fit.

    25 mm/s and 5 mm/mV before it is made small; what is higher than the picture is cut off.
    """
    usable = set(quality.usable)
    lead = next((one for one in _ORDER if one in usable), None)
    found = record.find(lead) if lead is not None else None
    if lead is None or found is None:
        return None
    group, channel = found
    values = channel.microvolts(
        0, min(round(_SECONDS * group.sampling_rate_hz), group.sample_count)
    )
    if values.size == 0 or bool(np.isnan(values).all()):
        return None
    x = np.arange(values.size) / group.sampling_rate_hz * _MM_PER_SECOND
    middle = float(np.nanmedian(values))
    # The baseline stands a little below the middle: most of a heart's beat points up.
    y = _HEIGHT_MM * 0.65 - (values - middle) * _MM_PER_MICROVOLT
    step = max(round(_STEP_MM / _MM_PER_SECOND * group.sampling_rate_hz), 1)
    parts: list[str] = []
    for begin, end in runs_without_gaps(y):
        chosen = extremes_per_step(y[begin:end], step) + begin
        kept = chosen[significant_points(x[chosen], y[chosen], _STEP_MM / 4)]
        parts.append(path_data(x[kept], y[kept]))
    width = _SECONDS * _MM_PER_SECOND
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {_HEIGHT_MM:g}"'
        f' width="{width:g}mm" height="{_HEIGHT_MM:g}mm"><title>{escaped(lead.value)}</title>'
        f'<path d="{"".join(parts)}" transform="scale({1 / UNITS_PER_MM:g})" fill="none"'
        f' stroke="{_COLOUR}" stroke-width="{0.4 * UNITS_PER_MM:g}" stroke-linejoin="round"/></svg>'
    )
