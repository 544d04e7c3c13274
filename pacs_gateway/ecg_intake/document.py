"""A printed ECG as an Encapsulated PDF instance (PS3.3 A.45.1): read by people, never measured."""

from pathlib import Path
from typing import BinaryIO, Final

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from storage.ecg.dicom_writer import ObjectIdentity, file_meta, fill_patient_and_study
from storage.ecg.identification import EcgAcquisition, EcgPatient

_TITLE: Final = "ECG"


def write_document(
    target: BinaryIO,
    pdf: Path,
    patient: EcgPatient,
    acquisition: EcgAcquisition,
    identity: ObjectIdentity,
) -> None:
    """Write the document as a Part 10 file; it becomes a study of its own with modality ECG.

    When the ECG was taken stands on the page only, so the object does not say.
    """
    instance = Dataset()
    instance.SpecificCharacterSet = "ISO_IR 192"
    fill_patient_and_study(instance, patient, acquisition, identity, None)
    instance.Manufacturer = ""
    instance.ConversionType = "WSD"
    instance.SOPClassUID = EncapsulatedPDFStorage
    instance.SOPInstanceUID = identity.sop_instance_uid
    instance.ContentDate = instance.ContentTime = instance.AcquisitionDateTime = ""
    # The page may name the patient, and nothing in it has been blanked out.
    instance.BurnedInAnnotation = "YES"
    instance.DocumentTitle = _TITLE
    concept = Dataset()
    concept.CodeValue = "11524-6"
    concept.CodingSchemeDesignator = "LN"
    concept.CodeMeaning = "EKG study"
    instance.ConceptNameCodeSequence = [concept]
    content = pdf.read_bytes()
    instance.MIMETypeOfEncapsulatedDocument = "application/pdf"
    instance.EncapsulatedDocumentLength = len(content)
    instance.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    instance.file_meta = file_meta(instance)
    instance.save_as(target, enforce_file_format=True)
