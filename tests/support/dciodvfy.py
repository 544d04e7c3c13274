"""What dicom3tools' validator says of an instance."""

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset

from tests.support.peers import require_program

# A name that nobody has divided stays as it is; what the study does not say is not made up. A
# scheme of our own (PS3.3 8.2) is for what the standard has no code for.
_ACCEPTED: Final = (
    "Retired Person Name form",
    "needed to build DICOMDIR",
    "defined term <99RDC>",
)


def complaints(instance: Dataset) -> list[str]:
    """Return errors and warnings, but for those that have a reason."""
    dciodvfy = require_program("dciodvfy", package="dicom3tools")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "instance.dcm"
        instance.save_as(path, enforce_file_format=True)
        said = subprocess.run(
            [dciodvfy, path], check=False, capture_output=True, text=True, errors="replace"
        )
    return [
        line
        for line in (said.stdout + said.stderr).splitlines()
        if line.startswith(("Error", "Warning")) and not any(one in line for one in _ACCEPTED)
    ]
