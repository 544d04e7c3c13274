"""The exams of the demonstration: images and an ECG that pydicom brings, and the phantom."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

import pydicom

from deploy.demo.consortium import SITES, DemoSite
from deploy.demo.phantom import write_phantom

_PHANTOM_SLICES: Final = 120
_DONGHE, _XILING = SITES

# pydicom's reader is typed in part only.
_read_file = cast("Callable[..., Any]", pydicom.dcmread)  # pyright: ignore[reportUnknownMemberType]

# Files in pydicom's wheel, one study a line.
_REAL: Final = (
    (_XILING, "ecg", ("waveform_ecg.dcm",)),
    (_DONGHE, "ct", ("CT_small.dcm",)),
    (_XILING, "ct", ("693_J2KI.dcm",)),
    (_DONGHE, "mr", ("MR_small.dcm",)),
    (_DONGHE, "mr", ("examples_overlay.dcm",)),
    (_XILING, "us", ("examples_palette.dcm",)),
    (_DONGHE, "us", ("examples_rgb_color.dcm",)),
    (_XILING, "us", ("examples_ybr_color.dcm",)),
    (
        _XILING,
        "cr",
        tuple(f"dicomdirtests/77654033/CR{n}/{f}" for n, f in ((1, 6154), (2, 6247), (3, 6278))),
    ),
)


@dataclass(frozen=True, slots=True)
class DemoExam:
    """One study to be sent: by which site, its kind, and its instances as Part 10 files."""

    site: DemoSite
    kind: str
    study_instance_uid: str
    files: tuple[Path, ...]


def prepare_exams(directory: Path) -> list[DemoExam]:
    """Return the exams, the phantom's files written into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    phantom = write_phantom(
        directory,
        slices=_PHANTOM_SLICES,
        patient_name="OuYang^JianGuo=欧阳^建国",
        patient_id="DH20261121",
        accession_number="DH000017",
        study_date="20261121",
    )
    exams = [_exam(_DONGHE, "ct", tuple(phantom))]
    files = _bundled_files()
    exams.extend(
        _exam(site, kind, tuple(files / name for name in names)) for site, kind, names in _REAL
    )
    return exams


def _exam(site: DemoSite, kind: str, files: tuple[Path, ...]) -> DemoExam:
    uid = _read_file(
        files[0], specific_tags=["StudyInstanceUID"], stop_before_pixels=True
    ).StudyInstanceUID
    return DemoExam(site, kind, str(uid), files)


def _bundled_files() -> Path:
    package = find_spec("pydicom.data")
    if package is None or package.origin is None:
        message = "pydicom is installed without its data"
        raise RuntimeError(message)
    return Path(package.origin).parent / "test_files"
