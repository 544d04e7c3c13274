"""A CT of the chest that belongs to nobody: 120 slices computed from ellipsoids."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

_SIZE: Final = 512
_PIXEL_MM: Final = 0.74
_SLICE_MM: Final = 2.5
_NOISE_HU: Final = 12.0

# (centre x, y, z; radii x, y, z in mm; HU), later ones over earlier ones. z is from the middle.
_ORGANS: Final = (
    (0, 0, 0, 165, 115, 400, 45),  # chest wall
    (-70, -5, 10, 58, 80, 135, -850),  # right lung
    (70, -5, 10, 58, 80, 135, -850),  # left lung
    (15, -25, -25, 55, 48, 62, 50),  # heart
    (0, 78, 0, 17, 17, 400, 420),  # spine
    (-14, 38, 30, 12, 12, 120, 160),  # descending aorta, contrast
    (-20, 60, -125, 110, 75, 60, 62),  # liver dome
    (0, -8, 70, 9, 9, 90, -1000),  # trachea
    (-88, 22, 38, 7, 7, 7, 40),  # the nodule to be found, right upper lobe
)
_RIB_EVERY_MM: Final = 24.0
_RIB_HALF_THICKNESS: Final = 0.045  # of the ellipse through the ribs


def write_phantom(
    directory: Path,
    *,
    slices: int,
    patient_name: str,
    patient_id: str,
    accession_number: str,
    study_date: str,
) -> list[Path]:
    """Write the phantom's slices as CT Image Storage and return their paths, from head to foot.

    patient_name: written in GB18030, as the devices of the country do.
    """
    study_uid, series_uid, frame_uid = generate_uid(), generate_uid(), generate_uid()
    noise = np.random.default_rng(20)
    paths: list[Path] = []
    for number, (z, image) in enumerate(_slices(slices, noise), start=1):
        dataset = _header(patient_name, patient_id, accession_number, study_date)
        dataset.StudyInstanceUID = study_uid
        dataset.SeriesInstanceUID = series_uid
        dataset.FrameOfReferenceUID = frame_uid
        dataset.SOPInstanceUID = generate_uid()
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [-_SIZE / 2 * _PIXEL_MM, -_SIZE / 2 * _PIXEL_MM, z]
        dataset.SliceLocation = z
        dataset.PixelData = image.astype("<i2").tobytes()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        path = directory / f"ct{number:04d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _slices(count: int, noise: np.random.Generator) -> Iterator[tuple[float, NDArray[np.float64]]]:
    axis = (np.arange(_SIZE) - _SIZE / 2) * _PIXEL_MM
    x, y = axis[np.newaxis, :], axis[:, np.newaxis]
    for index in range(count):
        z = ((count - 1) / 2 - index) * _SLICE_MM
        image = np.full((_SIZE, _SIZE), -1000.0)
        for centre_x, centre_y, centre_z, radius_x, radius_y, radius_z, value in _ORGANS:
            height = ((z - centre_z) / radius_z) ** 2
            inside = ((x - centre_x) / radius_x) ** 2 + (
                (y - centre_y) / radius_y
            ) ** 2 + height < 1
            image[inside] = value
        shell = np.abs(np.sqrt((x / 150) ** 2 + (y / 101) ** 2) - 1) < _RIB_HALF_THICKNESS
        if z % _RIB_EVERY_MM < _RIB_EVERY_MM / 2:
            image[shell] = 380
        yield z, image + noise.normal(0, _NOISE_HU, image.shape)


def _header(patient_name: str, patient_id: str, accession: str, study_date: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "GB18030"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = study_date
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = "093012"
    dataset.AccessionNumber = accession
    dataset.Modality = "CT"
    dataset.Manufacturer = "RDC phantom"
    dataset.InstitutionName = "东河镇中心卫生院"
    dataset.ReferringPhysicianName = "孙^东亮"
    dataset.StudyDescription = "胸部CT平扫"
    dataset.SeriesDescription = "Chest 2.5 mm"
    dataset.PatientName = patient_name
    dataset.PatientID = patient_id
    dataset.PatientBirthDate = "19580412"
    dataset.PatientSex = "M"
    dataset.BodyPartExamined = "CHEST"
    dataset.SliceThickness = _SLICE_MM
    dataset.KVP = 120
    dataset.StudyID = "1"
    dataset.SeriesNumber = 2
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = _SIZE
    dataset.PixelSpacing = [_PIXEL_MM, _PIXEL_MM]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 1
    dataset.WindowCenter, dataset.WindowWidth = [-600, 40], [1500, 400]
    dataset.RescaleIntercept, dataset.RescaleSlope = 0, 1
    dataset.RescaleType = "HU"
    return dataset
