"""Reading WFDB files, and what a score says."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from reading_worklist.ecg.scoring.references import read_reference, waves_of
from reading_worklist.ecg.scoring.score import Found, score
from reading_worklist.ecg.scoring.wfdb_files import Mark, read_marks, read_record
from storage.ecg.errors import EcgBroken, EcgUnsupported, NotAnEcg
from storage.ecg.leads import Lead
from tests.support.heartbeats import Heart, onsets, signal

HEART = Heart(noise=2)
BEAT, P, T, OPEN, CLOSE = 1, 24, 27, 39, 40


def write_annotations(path: Path, marks: list[tuple[int, int]]) -> None:
    words: list[int] = []
    at = 0
    for sample, code in marks:
        step = sample - at
        if step > 1023:
            words += [59 << 10, step >> 16, step & 0xFFFF]
            step = 0
        words.append(code << 10 | step)
        at = sample
    path.write_bytes(struct.pack(f"<{len(words) + 1}H", *words, 0))


def write_heart(folder: Path, *, seconds: float = 10) -> Path:
    """One record as LUDB keeps it, annotated where the waves really are."""
    rows = signal(HEART, seconds=seconds)[:2].round().astype("<i2")
    (folder / "7.dat").write_bytes(rows.T.tobytes())
    lines = [f"7 2 500 {rows.shape[1]}"]
    lines += [
        f"7.dat 16 1000(0)/mV 16 0 {row[0]} 0 0 {n}"
        for n, row in zip(("i", "ii"), rows, strict=True)
    ]
    (folder / "7.hea").write_text("\n".join([*lines, "#Rhythm: Sinus rhythm."]) + "\n")
    marks: list[tuple[int, int]] = []
    for onset in onsets(HEART, seconds)[1:-1]:
        at = round(onset * 500)
        for start, peak, end, code in (
            (at - 80, at - 55, at - 30, P),
            (at, at + 22, at + 45, BEAT),
            (at + 110, at + 155, at + 200, T),
        ):
            marks += [(start, OPEN), (peak, code), (end, CLOSE)]
    for name in ("i", "ii"):
        write_annotations(folder / f"7.{name}", marks)
    return folder / "7.hea"


def test_samples_and_marks_are_read_as_written(tmp_path: Path) -> None:
    header = write_heart(tmp_path)
    record = read_record(header)
    group = record.ecg.groups[0]
    reference = read_reference(header, 500)

    assert [channel.lead for channel in group.channels] == [Lead.I, Lead.II]
    np.testing.assert_allclose(
        group.channels[1].microvolts(), signal(HEART)[1].round(), rtol=0, atol=1e-9
    )
    assert record.comments == ["Rhythm: Sinus rhythm."]
    assert reference is not None
    assert reference.intervals == {"PR": 160, "QRS": 90, "QT": 400}
    assert len(reference.beats) == len(onsets(HEART, 10)) - 2


def test_format_212_and_gains_are_read(tmp_path: Path) -> None:
    pairs = [(-2048, 2047), (0, -1), (100, -100), (5, 1024)]
    packed = b"".join(
        bytes([a & 0xFF, (a >> 8 & 0x0F) | (b >> 8 & 0x0F) << 4, b & 0xFF]) for a, b in pairs
    )
    (tmp_path / "x.dat").write_bytes(packed)
    (tmp_path / "x.hea").write_text("x 2 250 4\nx.dat 212 200 12 0 0 0 0 MLII\nx.dat 212 200 12\n")
    first, second = read_record(tmp_path / "x.hea").ecg.groups[0].channels

    # The lowest number stands for no sample.
    np.testing.assert_allclose(first.microvolts(), [np.nan, 0, 500, 25])
    np.testing.assert_allclose(second.microvolts(), [10_235, -5, -500, 5120])
    assert first.lead is None


def test_long_steps_between_annotations_are_followed(tmp_path: Path) -> None:
    write_annotations(tmp_path / "a", [(10, BEAT), (70_000, BEAT), (70_500, T)])

    assert read_marks(tmp_path / "a") == [Mark(10, BEAT), Mark(70_000, BEAT), Mark(70_500, T)]


def test_a_wave_without_its_edges_has_none() -> None:
    waves = waves_of([Mark(5, BEAT), Mark(40, OPEN), Mark(50, T), Mark(60, CLOSE)])

    assert [(wave.kind, wave.onset, wave.end) for wave in waves] == [
        ("QRS", None, None),
        ("T", 40, 60),
    ]


def test_broken_and_unknown_files_are_refused(tmp_path: Path) -> None:
    header = write_heart(tmp_path)
    text = header.read_text()
    header.write_text(text.replace(" 16 1000", " 310 1000"))
    with pytest.raises(EcgUnsupported):
        read_record(header)
    header.write_text("7 2\n")
    with pytest.raises(EcgBroken):
        read_record(header)
    (tmp_path / "cut").write_bytes(struct.pack("<2H", 59 << 10, 1))
    with pytest.raises(EcgBroken):
        read_marks(tmp_path / "cut")
    with pytest.raises(NotAnEcg):
        score(tmp_path / "7.dat")


def test_a_score_tells_errors_missing_values_and_missed_bounds(tmp_path: Path) -> None:
    write_heart(tmp_path)
    beats = [onset + 0.045 for onset in onsets(HEART, 10)]
    # One missed, one false; PR 30 ms long, no QT.
    wrong = Found([*beats[:4], *beats[5:], beats[6] + 0.3], {"PR": 190, "QRS": 90})
    found = score(tmp_path, lambda _: wrong, "wrong")
    pr, qrs, qt = found.intervals

    assert (found.beats_marked, found.beats_missed, found.beats_false) == (10, 1, 1)
    assert (pr.mean_ms, pr.within_percent) == (30, 0)
    assert qrs.missed == []
    assert qt.not_measured == ["7"]
    assert len([word for word in found.missed if word.startswith("PR")]) == 2


def test_the_command_prints_a_table_and_json(tmp_path: Path) -> None:
    write_heart(tmp_path)
    shown = CliRunner().invoke(app, ["ecg", "score", str(tmp_path)])
    as_json = CliRunner().invoke(app, ["ecg", "score", str(tmp_path), "--json"])

    # Both leads are one shape, on which PR and QRS are not within LUDB's bounds of the mean.
    assert shown.exit_code == 1, shown.output
    assert "10 marked, 0 missed, 0 false" in shown.output
    assert "bounds: PR mean" in shown.output
    told = json.loads(as_json.output)
    assert told["beats_missed"] == 0
    assert [interval["count"] for interval in told["intervals"]] == [1, 1, 1]


def test_of_a_long_record_the_annotated_stretch_is_measured(tmp_path: Path) -> None:
    write_heart(tmp_path, seconds=80)
    marks = [mark for mark in read_marks(tmp_path / "7.i") if 30_000 < mark.sample < 38_000]
    for name in ("i", "ii"):
        write_annotations(tmp_path / f"7.{name}", [(mark.sample, mark.code) for mark in marks])
    found = score(tmp_path)

    assert found.beats_marked in {18, 19, 20}
    assert (found.beats_missed, found.beats_false) == (0, 0)
    assert [interval.count for interval in found.intervals] == [1, 1, 1]
