"""The CT of a site: it reads its worklist and sends what it has made, by DCMTK's programs."""

import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.e2e.system import RunningSystem
from tests.reading_worklist.dicomweb.conftest import sample
from tests.support.peers import require_program


class Scanner:
    """One device under its AE title; what it writes is in its directory."""

    def __init__(self, system: RunningSystem, directory: Path, ae_title: str) -> None:
        self.directory = directory
        self.peer = ["-aet", ae_title, "-aec", "RDC", "127.0.0.1", str(system.dicom_port)]

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run a program of DCMTK against the centre and see that it ended well."""
        done = subprocess.run(
            [require_program(program, package="dcmtk"), *self.peer, *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            cwd=self.directory,
            env={**os.environ, "TCP_NODELAY": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def scheduled(self, accession_number: str) -> Dataset:
        """What its worklist says of an order."""
        keys = [
            "SpecificCharacterSet=ISO_IR 192",
            f"AccessionNumber={accession_number}",
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "RequestedProcedureDescription",
            "ScheduledProcedureStepSequence[0].Modality=CT",
        ]
        self.run("findscu", "-W", "-X", *(part for key in keys for part in ("-k", key)))
        (answer,) = sorted(self.directory.glob("rsp*.dcm"))
        return pydicom.dcmread(answer)

    def sends(self, step: Dataset, accession_number: str, count: int = 2) -> None:
        """The study of a scheduled step, each value as the worklist gave it."""
        series = generate_uid()
        for number in range(1, count + 1):
            made: Any = sample("CT_small.dcm").read()
            made.SpecificCharacterSet = step.SpecificCharacterSet
            for keyword in (
                "PatientName",
                "PatientID",
                "PatientBirthDate",
                "PatientSex",
                "StudyInstanceUID",
            ):
                setattr(made, keyword, step[keyword].value)
            made.AccessionNumber = accession_number
            made.StudyDescription = step.RequestedProcedureDescription
            made.StudyDate = f"{date.today():%Y%m%d}"  # noqa: DTZ011 -- a device's own calendar
            made.BodyPartExamined = "CHEST"
            made.SeriesInstanceUID = series
            made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            made.InstanceNumber = number
            made.save_as(self.directory / f"ct{number}.dcm", enforce_file_format=True)
        self.run("storescu", *sorted(self.directory.glob("ct*.dcm")))
