"""ECG files of the eastern site in every state that its people see."""

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pacs_gateway.config import EcgIntakeConfig
from pacs_gateway.ecg_intake.engine import attempt
from pacs_gateway.ecg_intake.workshop import Workshop
from storage.ecg_files.service import Sender, receive
from storage.ecg_files.tables import EcgFileWay
from tests.support.ecg_files import aecg, edf, muse, scp

if TYPE_CHECKING:
    from tests.support.scene import Scene


def fill(scene: "Scene") -> Mapping[str, str]:
    """Return the id of the file that asks whose it is."""
    files = {
        "胸痛中心_20261120_093015.scp": scp(patient_id="DH3071", name="邹国强"),
        "MUSE_20261120_101500.xml": muse(patient_id="DH3072", name="方秀兰"),
        "ECG0001.edf": edf(patient_id="DH3073"),
        "20261121-0702.xml": aecg(patient_id="0000", family="罗", given="志远"),
        "export (3).scp": scp(patient_id="DH3075")[:-700],
        "报告.docx": b"PK\3\4 no ECG at all",
    }
    with Workshop() as workshop, tempfile.TemporaryDirectory() as directory:
        ids = {}
        for name, content in files.items():
            sender = Sender(scene.consortium.east.id, EcgFileWay.PORTAL, "127.0.0.1")
            ids[name] = receive(
                scene.database, scene.objects, sender, io.BytesIO(content), file_name=name
            )
            attempt(
                ids[name],
                scene.database,
                scene.objects,
                EcgIntakeConfig("RDC", Path(directory)),
                workshop,
            )
    return {"ecg-file-of-nobody": str(ids["20261121-0702.xml"])}
