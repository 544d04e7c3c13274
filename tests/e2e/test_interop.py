"""Programs of others against the whole system: DCMTK, Orthanc as a site's PACS, dicomweb-client."""

import json
import os
import subprocess
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pyhanko.pdf_utils.reader import PdfFileReader
from requests import Session
from sqlalchemy import func, select

from deploy.demo.consortium import DemoPerson
from deploy.demo.people import DemoClient
from reading_worklist.signing.authority import open_authority
from reading_worklist.signing.credentials import issue_credential
from storage.commitments import CommitmentRequest
from storage.database import Database
from storage.deliveries import Delivery, DeliveryState
from storage.index.tables import Instance, Study
from storage.registry import add_device, add_dicom_destination
from tests.e2e.system import RunningSystem, wait_for
from tests.pacs_gateway.datasets import ct
from tests.support.orthanc import Orthanc
from tests.support.peers import require_program
from tests.support.ports import free_port
from tests.support.seed import PASSWORD, Consortium

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MODALITY = "EAST_CT"
SIGNING_PIN = "270418"
PACS = "EASTPACS"


@dataclass(frozen=True)
class Running:
    """The system with one site: its CT, and Orthanc as its PACS."""

    system: RunningSystem
    database: Database
    consortium: Consortium
    orthanc: Orthanc
    directory: Path
    tls_port: int
    certificate: Path

    def instances_of(self, study_instance_uid: str) -> int:
        with self.database.transaction() as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(Instance)
                    .join(Study, Study.id == Instance.study_id)
                    .where(Study.study_instance_uid == study_instance_uid)
                )
                or 0
            )

    def delivered(self, study_instance_uid: str) -> list[str]:
        """The SOP Instance UIDs of the reports that have arrived at their destinations."""
        with self.database.transaction() as session:
            return list(
                session.scalars(
                    select(Delivery.sop_instance_uid)
                    .join(Study, Study.id == Delivery.study_id)
                    .where(
                        Study.study_instance_uid == study_instance_uid,
                        Delivery.state == DeliveryState.DELIVERED,
                    )
                )
            )

    def wait_for_instances(self, study_instance_uid: str, count: int) -> None:
        wait_for(
            f"{count} instances filed",
            lambda: True if self.instances_of(study_instance_uid) == count else None,
            saw=lambda: self.instances_of(study_instance_uid),
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    program = require_program("Orthanc", package="orthanc orthanc-dicomweb")
    directory = tmp_path_factory.mktemp("interop")
    certificate = self_signed(directory)
    tls_port = free_port()
    system = RunningSystem(
        directory,
        ("up",),
        RDC_QUIET_SECONDS="1",
        RDC_COMMITMENT_WAIT_SECONDS="2",
        RDC_DICOM_TLS_PORT=str(tls_port),
        RDC_DICOM_TLS_CERTIFICATE=str(certificate),
    ).start()
    database = Database(system.state()["database_url"])
    try:
        consortium = Consortium(database)
        with Orthanc(
            program,
            directory / "orthanc",
            ae_title=PACS,
            modalities={"rdc": ("RDC", "127.0.0.1", system.dicom_port)},
        ) as orthanc:
            with database.transaction() as session:
                add_device(
                    session,
                    consortium.east,
                    PACS,
                    "PACS",
                    listen=("127.0.0.1", orthanc.dicom_port),
                )
                add_dicom_destination(
                    session, consortium.east, PACS, "127.0.0.1", orthanc.dicom_port
                )
            yield Running(system, database, consortium, orthanc, directory, tls_port, certificate)
    finally:
        database.close()
        system.stop()


def self_signed(directory: Path) -> Path:
    """Write a key with its certificate for this machine, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "tls.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def dcmtk(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of DCMTK as the site's CT and see that it ended well."""
    done = subprocess.run(
        [require_program(program, package="dcmtk"), "-v", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        env={**os.environ, "TCP_NODELAY": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def calling(running: Running, *, port: int | None = None) -> list[str]:
    return ["-aet", MODALITY, "-aec", "RDC", "127.0.0.1", str(port or running.system.dicom_port)]


def study(directory: Path, count: int, accession_number: str = "") -> tuple[str, list[Path]]:
    """Write a study of small CT slices; return its UID and the files."""
    study_uid, series_uid = str(generate_uid()), str(generate_uid())
    directory.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for number in range(1, count + 1):
        dataset = ct(
            StudyInstanceUID=study_uid,
            SeriesInstanceUID=series_uid,
            InstanceNumber=number,
            PatientID=f"P{study_uid[-8:]}",
            AccessionNumber=accession_number,
        )
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = directory / f"{number}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return study_uid, paths


def sent(
    running: Running, name: str, count: int = 3, accession_number: str = ""
) -> tuple[str, list[Path]]:
    """Send a study with storescu and wait until it is filed."""
    study_uid, paths = study(running.directory / name, count, accession_number)
    dcmtk("storescu", *calling(running), *paths)
    running.wait_for_instances(study_uid, count)
    return study_uid, paths


def test_dcmtk_echo_and_store(running: Running) -> None:
    dcmtk("echoscu", *calling(running))
    sent(running, "stored")


def test_dcmtk_over_tls(running: Running) -> None:
    study_uid, paths = study(running.directory / "tls", 2)
    secured = ["+tla", "+cf", str(running.certificate), "-ic"]
    dcmtk("echoscu", "+tla", "-ic", *calling(running, port=running.tls_port))
    dcmtk("storescu", *secured[:1], "-ic", *calling(running, port=running.tls_port), *paths)
    running.wait_for_instances(study_uid, 2)


def test_dcmtk_finds_its_own_site_and_no_other(running: Running) -> None:
    study_uid, _ = sent(running, "found", accession_number="FIND1")
    query = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"]
    query += ["-k", "NumberOfStudyRelatedInstances"]
    found = dcmtk("findscu", *query, "-k", "AccessionNumber=FIND1", *calling(running))
    assert study_uid in found.stdout + found.stderr
    stranger = ["-aet", "WEST_CT", "-aec", "RDC", "127.0.0.1", str(running.system.dicom_port)]
    nothing = dcmtk("findscu", *query, "-k", "AccessionNumber=FIND1", *stranger)
    assert study_uid not in nothing.stdout + nothing.stderr


def test_dcmtk_gets_what_it_stored(running: Running) -> None:
    study_uid, paths = sent(running, "got")
    output = running.directory / "got-back"
    output.mkdir()
    dcmtk(
        "getscu",
        *("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}"),
        *("-od", str(output)),
        *calling(running),
    )
    assert same_instances(output, paths)


def test_dcmtk_has_it_moved_to_the_pacs(running: Running) -> None:
    study_uid, paths = sent(running, "moved")
    dcmtk(
        "movescu",
        *("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}"),
        *("-aem", PACS),
        *calling(running),
    )
    assert orthanc_count(running.orthanc, study_uid) == len(paths)


def same_instances(directory: Path, paths: Sequence[Path]) -> bool:
    """Whether the folder holds the same instances, pixels included."""
    received = {one.SOPInstanceUID: one.PixelData for one in map(dcmread, directory.iterdir())}
    return received == {one.SOPInstanceUID: one.PixelData for one in map(dcmread, paths)}


def orthanc_count(orthanc: Orthanc, study_uid: str) -> int:
    found: list[str] = orthanc.post(
        "/tools/find", {"Level": "Instance", "Query": {"StudyInstanceUID": study_uid}}
    )
    return len(found)


def uploaded(running: Running, name: str, count: int = 3) -> tuple[str, list[Path]]:
    """Put a study into Orthanc."""
    study_uid, paths = study(running.directory / name, count)
    for path in paths:
        running.orthanc.upload(path.read_bytes())
    return study_uid, paths


def test_orthanc_sends_to_us(running: Running) -> None:
    study_uid, paths = uploaded(running, "orthanc-sends")
    ids = [running.orthanc.upload(path.read_bytes()) for path in paths]
    answer = running.orthanc.post("/modalities/rdc/store", ids)
    assert answer["FailedInstancesCount"] == 0
    running.wait_for_instances(study_uid, len(paths))


def test_orthanc_queries_and_retrieves_from_us(running: Running) -> None:
    study_uid, paths = sent(running, "orthanc-retrieves", accession_number="QR7")
    query = running.orthanc.post(
        "/modalities/rdc/query",
        {"Level": "Study", "Query": {"AccessionNumber": "QR7", "StudyInstanceUID": ""}},
    )
    answers = running.orthanc.get(f"/queries/{query['ID']}/answers?expand&simplify")
    assert [one["StudyInstanceUID"] for one in answers] == [study_uid]
    running.orthanc.post(
        f"/queries/{query['ID']}/answers/0/retrieve",
        {"TargetAet": PACS, "Synchronous": True},
    )
    wait_for(
        "Orthanc to have the study",
        lambda: True if orthanc_count(running.orthanc, study_uid) == len(paths) else None,
    )


def test_orthanc_asks_for_storage_commitment(running: Running) -> None:
    study_uid, paths = uploaded(running, "orthanc-commitment")
    ids = [running.orthanc.upload(path.read_bytes()) for path in paths]
    answer = running.orthanc.post(
        "/modalities/rdc/store", {"Resources": ids, "StorageCommitment": True, "Synchronous": True}
    )
    report = commitment_report(running.orthanc, answer["StorageCommitmentTransactionUID"])
    assert report["Status"] == "Success", json.dumps(report)
    assert len(report["Success"]) == len(paths)
    assert running.instances_of(study_uid) == len(paths)


def test_orthanc_hears_what_is_not_there(running: Running) -> None:
    _, paths = uploaded(running, "orthanc-never-sent", 1)
    instance_id = running.orthanc.upload(paths[0].read_bytes())
    answer = running.orthanc.post(
        "/modalities/rdc/storage-commitment", {"Resources": [instance_id]}
    )
    report = commitment_report(running.orthanc, answer["ID"])
    assert report["Status"] == "Failure"
    assert [one["FailureReason"] for one in report["Failures"]] == [0x0112]

    def noted() -> set[str | None] | None:
        # It is written down when Orthanc has answered, and Orthanc's page may be quicker.
        with running.database.transaction() as session:
            ways = set(session.scalars(select(CommitmentRequest.reported_by)))
        return None if None in ways else ways

    assert wait_for("how it was told", noted) == {"own association"}


def commitment_report(orthanc: Orthanc, transaction_uid: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        report = orthanc.get(f"/storage-commitment/{transaction_uid}")
        return None if report["Status"] == "Pending" else report

    return wait_for("the result of storage commitment", look)


def test_a_signed_report_is_found_in_the_sites_pacs(running: Running) -> None:
    study_uid, paths = sent(running, "reported")
    with signer(running, "writer") as writer, signer(running, "reviewer") as reviewer:
        item = wait_for(
            "the study in the worklist", lambda: writer.workitems().get(study_uid, {}).get("id")
        )
        writer.write_report(item, "ct")
        reviewer.review_report(item)
    with at_work(running, "doctor-east") as doctor:
        signed = doctor.get_bytes(f"/api/portal/exams/{item}/report")
    orthanc = running.orthanc
    query = {"StudyInstanceUID": study_uid, "Modality": "DOC"}
    (instance,) = wait_for(
        "the report in Orthanc",
        lambda: orthanc.post("/tools/find", {"Level": "Instance", "Query": query}) or None,
    )
    (found,) = orthanc.get(f"/dicom-web/instances?StudyInstanceUID={study_uid}&Modality=DOC")
    assert found["00080016"]["Value"] == ["1.2.840.10008.5.1.4.1.1.104.1"]
    report = dcmread(BytesIO(orthanc.file(instance)))
    assert report.SOPInstanceUID == found["00080018"]["Value"][0]
    assert report.VerificationFlag == "VERIFIED"
    assert report.PatientID == dcmread(paths[0]).PatientID
    pdf = report.EncapsulatedDocument[: report.EncapsulatedDocumentLength]
    assert pdf == signed
    assert len(PdfFileReader(BytesIO(pdf)).embedded_regular_signatures) == 2
    delivered = wait_for(
        "the delivery to be noted",
        lambda: running.delivered(study_uid) or None,
    )
    assert delivered == [report.SOPInstanceUID]
    (words,) = orthanc.post(
        "/tools/find", {"Level": "Instance", "Query": {**query, "Modality": "SR"}}
    )
    tags = orthanc.get(f"/instances/{words}/simplified-tags")
    assert (tags["CompletionFlag"], tags["VerificationFlag"]) == ("COMPLETE", "VERIFIED")
    assert len(tags["VerifyingObserverSequence"]) == 2
    # A site that cannot be sent to fetches.
    pulled = running.directory / "pulled"
    pulled.mkdir()
    asked = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}")
    dcmtk("getscu", *asked, "-od", str(pulled), *calling(running))
    came = sorted(str(one.Modality) for one in map(dcmread, pulled.iterdir()))
    assert came == ["CT"] * len(paths) + ["DOC", "SR"]


def signer(running: Running, login: str) -> DemoClient:
    """A doctor of the centre with a key to sign with."""
    person = running.consortium.people[login]
    authority = open_authority(
        running.system.data_dir / "authority", organisation="test", name="test"
    )
    with running.database.transaction() as session:
        issue_credential(
            session,
            authority,
            person_id=person.id,
            display_name=person.display_name,
            organisation=running.consortium.centre.name,
            pin=SIGNING_PIN,
        )
    return at_work(running, login)


def at_work(running: Running, login: str) -> DemoClient:
    return DemoClient(running.system.web, DemoPerson(login, login, "", (), PASSWORD, SIGNING_PIN))


def test_dicomweb_client_searches_and_retrieves(running: Running) -> None:
    study_uid, paths = sent(running, "web")
    client = DICOMwebClient(
        f"{running.system.web}/dicom-web", session=signed_in(running.system.web)
    )
    (found,) = client.search_for_studies(search_filters={"StudyInstanceUID": study_uid})
    assert found["00201208"]["Value"] == [len(paths)]
    metadata = client.retrieve_study_metadata(study_uid)
    assert {one["00080018"]["Value"][0] for one in metadata} == {
        dcmread(path).SOPInstanceUID for path in paths
    }
    received = {one.SOPInstanceUID: one.PixelData for one in client.retrieve_study(study_uid)}
    assert received == {one.SOPInstanceUID: one.PixelData for one in map(dcmread, paths)}
    one = dcmread(paths[0])
    (frame,) = client.retrieve_instance_frames(
        study_uid, one.SeriesInstanceUID, one.SOPInstanceUID, frame_numbers=[1]
    )
    assert frame == one.PixelData


def signed_in(web: str) -> Session:
    """A session of a doctor of the centre."""
    session = Session()
    answer = session.post(f"{web}/api/session", json={"login": "writer", "password": PASSWORD})
    assert answer.ok, answer.text
    session.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return session
