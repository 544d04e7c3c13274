"""Generated data sets, and fresh UIDs for each repetition without writing the files again.

Every identifier in a generated file contains one stamp of fixed length. A new stamp, written over
the old one at the places remembered, makes new studies of the same size.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)

_ROOT: Final = "1.2.826.0.1.3680043.8.498"
_STAMP: Final = "100000000000000"
_HEADER_BYTES: Final = 8192
CT_EDGE: Final = 512
SMALL_EDGE: Final = 96


@dataclass
class Sender:
    """The files that one association sends: one study of one series."""

    directory: Path
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uids: list[str]
    places: dict[Path, list[int]] = field(default_factory=dict[Path, list[int]])


class DataSet:
    """Instances in as many folders as there are associations; `renew` gives them new UIDs."""

    def __init__(
        self, directory: Path, *, instances: int, associations: int = 1, edge: int = CT_EDGE
    ) -> None:
        """Write the files.

        instances: of all associations together.
        edge: rows and columns of an image: 512 makes instances of 525 kB, 96 of about 20 kB.
        """
        self._stamp = _STAMP
        each = instances // associations
        self.instances = each * associations
        self.senders = [
            _write(directory / f"a{number}", number, each, edge) for number in range(associations)
        ]
        self.renew()

    @property
    def byte_count(self) -> int:
        """The size of all files."""
        return sum(path.stat().st_size for one in self.senders for path in one.places)

    def renew(self) -> None:
        """Give every study, series, instance and patient a new identifier, in place."""
        now = int(_STAMP) + time.time_ns() // 1_000_000
        fresh = str(max(now, int(self._stamp) + 1))
        for sender in self.senders:
            for path, places in sender.places.items():
                descriptor = os.open(path, os.O_WRONLY)
                try:
                    for place in places:
                        os.pwrite(descriptor, fresh.encode(), place)
                finally:
                    os.close(descriptor)
            sender.study_instance_uid = sender.study_instance_uid.replace(self._stamp, fresh)
            sender.series_instance_uid = sender.series_instance_uid.replace(self._stamp, fresh)
            sender.sop_instance_uids = [
                uid.replace(self._stamp, fresh) for uid in sender.sop_instance_uids
            ]
        self._stamp = fresh
        # The pages that were changed must not be written back in somebody's measured time.
        os.sync()


def _write(directory: Path, number: int, count: int, edge: int) -> Sender:
    directory.mkdir(parents=True)
    study = f"{_ROOT}.{_STAMP}.{number + 1}"
    sender = Sender(directory, study, f"{study}.1", [])
    noise = np.random.default_rng(number)
    for instance in range(1, count + 1):
        dataset = _header(sender, instance)
        dataset.Rows = dataset.Columns = edge
        dataset.PixelData = noise.integers(0, 4096, edge * edge, dtype="<u2").tobytes()
        path = directory / f"{instance:05d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        sender.sop_instance_uids.append(str(dataset.SOPInstanceUID))
        sender.places[path] = _places(path)
    return sender


def _header(sender: Sender, number: int, sop_class_uid: str = CTImageStorage) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "GB18030"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = f"{sender.series_instance_uid}.{number}"
    dataset.StudyDate = dataset.SeriesDate = "20261120"
    dataset.StudyTime = dataset.SeriesTime = "093012"
    dataset.AccessionNumber = f"A{_STAMP}"
    dataset.Modality = "CT"
    dataset.Manufacturer = "RDC bench"
    dataset.StudyDescription = "胸部CT平扫"
    dataset.SeriesDescription = "Chest 1 mm"
    dataset.PatientName = "张^三"
    dataset.PatientID = f"P{_STAMP}{sender.study_instance_uid[-1]}"
    dataset.PatientBirthDate = "19580412"
    dataset.PatientSex = "M"
    dataset.SliceThickness = 1
    dataset.StudyInstanceUID = sender.study_instance_uid
    dataset.SeriesInstanceUID = sender.series_instance_uid
    dataset.StudyID = "1"
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.FrameOfReferenceUID = f"{sender.study_instance_uid}.2"
    dataset.ImagePositionPatient = [-190, -190, number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [0.74, 0.74]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(str(dataset.SOPInstanceUID))
    return dataset


def _places(path: Path) -> list[int]:
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    found: list[int] = []
    at = head.find(_STAMP.encode())
    while at >= 0:
        found.append(at)
        at = head.find(_STAMP.encode(), at + 1)
    return found


class HugeInstance(DataSet):
    """One multi-frame instance whose pixel data is a hole in its file: made at once, any size."""

    def __init__(self, directory: Path, *, frames: int) -> None:
        """Write the file; a frame has 512 KiB."""
        self._stamp = _STAMP
        self.instances = 1
        directory.mkdir(parents=True)
        study = f"{_ROOT}.{_STAMP}.9"
        sender = Sender(directory, study, f"{study}.1", [])
        dataset = _header(sender, 1, MultiFrameGrayscaleWordSecondaryCaptureImageStorage)
        dataset.NumberOfFrames = frames
        dataset.Rows = dataset.Columns = CT_EDGE
        path = directory / "huge.dcm"
        dataset.save_as(path, enforce_file_format=True)
        length = frames * CT_EDGE * CT_EDGE * 2
        with path.open("ab") as file:
            file.write(b"\xe0\x7f\x10\x00OW\x00\x00" + length.to_bytes(4, "little"))
            file.truncate(file.tell() + length)
        sender.sop_instance_uids.append(str(dataset.SOPInstanceUID))
        sender.places[path] = _places(path)
        self.senders = [sender]
        self.renew()
