"""Scores our ECG measurement beside NeuroKit2's on the same annotated records.

`python -m tests.bench.ecg_score FOLDER` prints the table that RESULTS.md holds.
NeuroKit2 is no dependency of ours: run it in an environment that has it as well,
else only our own lines are printed. It delineates one lead at a time, so every
lead is done and the record's value is the median of the leads, as the reference
is made; beats are those of lead II.
"""

import importlib.util
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from reading_worklist.ecg.scoring.score import Found, Score, score
from storage.ecg.leads import STANDARD_LEADS, Lead
from storage.ecg.waveform import EcgRecord

_EDGES = {
    "PR": ("ECG_P_Onsets", "ECG_R_Onsets"),
    "QRS": ("ECG_R_Onsets", "ECG_R_Offsets"),
    "QT": ("ECG_R_Onsets", "ECG_T_Offsets"),
}


def neurokit(record: EcgRecord) -> Found:
    """What NeuroKit2 says with its wavelet delineation."""
    group = record.groups[0]
    beats: Sequence[float] = []
    per_lead: dict[str, list[float]] = {name: [] for name in _EDGES}
    for lead in STANDARD_LEADS:
        channel = group.channel(lead)
        if channel is None:
            continue
        peaks, waves = _delineated(channel.microvolts() / 1000.0, group.sampling_rate_hz)
        if lead is Lead.II:
            beats = [float(peak) / group.sampling_rate_hz for peak in peaks]
        for name, (start, end) in _EDGES.items():
            lengths = np.array(waves.get(end, [])) - np.array(waves.get(start, []))
            lengths = lengths[np.isfinite(lengths)]
            if len(lengths):
                per_lead[name].append(float(np.median(lengths)) * 1000.0 / group.sampling_rate_hz)
    return Found(beats, {name: median(values) for name, values in per_lead.items() if values})


def _delineated(
    millivolts: np.ndarray[Any, Any], rate_hz: float
) -> tuple[Sequence[float], Mapping[str, Sequence[float]]]:
    import neurokit2  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    rate = round(rate_hz)
    clean = neurokit2.ecg_clean(millivolts, sampling_rate=rate)
    try:
        _, found = neurokit2.ecg_peaks(clean, sampling_rate=rate)
        peaks = found["ECG_R_Peaks"]
        _, waves = neurokit2.ecg_delineate(clean, peaks, sampling_rate=rate, method="dwt")
    except (ValueError, IndexError, ZeroDivisionError):
        return [], {}
    return peaks, waves


def table(scores: Sequence[Score]) -> str:
    """The scores as a table of Markdown."""
    headings = ("method", "beats Se / PPV %", "interval", "mean ms", "SD ms", "near enough")
    lines = [
        f"| {' | '.join((*headings, 'not measured', 'CPU ms/record'))} |",
        "|---" * (len(headings) + 2) + "|",
    ]
    lines += [
        f"| {each.method} | {each.sensitivity_percent:.2f} / {each.precision_percent:.2f} "
        f"| {interval.name} | {interval.mean_ms:+.1f} | {interval.sd_ms:.1f} "
        f"| {interval.within_percent:.1f} % within {interval.within_ms:g} ms "
        f"| {len(interval.not_measured)} of {interval.count + len(interval.not_measured)} "
        f"| {each.cpu_mean_ms:.1f} |"
        for each in scores
        for interval in each.intervals
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table for the folder given."""
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    scores = [score(folder)]
    if importlib.util.find_spec("neurokit2"):
        import neurokit2  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

        scores.append(score(folder, neurokit, f"NeuroKit2 {neurokit2.__version__}, dwt"))
    sys.stdout.write(table(scores) + "\n")


if __name__ == "__main__":
    main()
