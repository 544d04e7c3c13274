"""One way into the record model for files of every format."""

import tempfile
from pathlib import Path

from pacs_gateway.ecg_intake.contents import EcgContents
from pacs_gateway.ecg_intake.dicom import read_dicom_file
from pacs_gateway.ecg_intake.edf import read_edf_file
from pacs_gateway.ecg_intake.formats import LIMITS
from pacs_gateway.ecg_intake.kit import XML_FORMATS, read_kit_file
from pacs_gateway.ecg_intake.xml_text import harmless_xml
from storage.ecg.errors import EcgBroken, EcgTooLarge
from storage.ecg_files import EcgFormat


def read_ecg_file(path: Path, file_format: EcgFormat) -> EcgContents:
    """Read a file that `formats.detect` has told the format of; not for PDF.

    Memory grows with the file, not with what its header claims; whoever reads files of strangers
    does it in a process that may be ended.

    Raises:
        EcgTooLarge: larger than any ECG of the format.
        EcgBroken, EcgUnsupported: it cannot be read, or is no voltage over time.
        OSError: the file itself cannot be read.
    """
    assert file_format is not EcgFormat.PDF
    size, limit = path.stat().st_size, LIMITS[file_format]
    if size > limit:
        raise EcgTooLarge(
            f"The {file_format.value} file is larger than an ECG of this kind can be",
            expected=f"at most {limit} bytes",
            found=f"{size} bytes",
            remedy="Export a shorter part at the device; the original file is kept.",
        )
    try:
        if file_format is EcgFormat.EDF:
            return read_edf_file(path)
        if file_format is EcgFormat.DICOM:
            return read_dicom_file(path)
        if file_format not in XML_FORMATS:
            return read_kit_file(path, file_format)
        with tempfile.NamedTemporaryFile(suffix=".xml") as harmless:
            harmless.write(harmless_xml(path.read_bytes()))
            harmless.flush()
            return read_kit_file(Path(harmless.name), file_format)
    except (MemoryError, RecursionError) as error:
        raise EcgBroken(
            f"The {file_format.value} file claims more than a file of its size can hold",
            expected="a header that fits the file",
            found=type(error).__name__,
            remedy="It was miswritten; export the ECG again at the device.",
        ) from error
