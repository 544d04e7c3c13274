"""dicomweb-client, a program of others, over a real connection: it stores and retrieves."""

import io
from collections.abc import Generator

import pytest
from dicomweb_client.api import DICOMwebClient
from fastapi import FastAPI
from pydicom import dcmread
from requests import Session

from storage import registry
from storage.registry import Role
from tests.reading_worklist.dicomweb.conftest import series_of
from tests.support.seed import PASSWORD, Consortium, password_hash
from tests.support.serving import served

JPEG_2000 = "1.2.840.10008.1.2.4.90"


@pytest.fixture
def client(app: FastAPI, consortium: Consortium) -> Generator[DICOMwebClient]:
    """The technician of a site, signed in over a real connection."""
    with consortium.database.transaction() as session:
        registry.add_person(
            session,
            "tech-east",
            "技师",
            password_hash(),
            organisation=consortium.east,
            roles=(Role.SITE_TECHNICIAN,),
        )
    with served(app) as address, Session() as web:
        answer = web.post(
            f"{address}/api/session", json={"login": "tech-east", "password": PASSWORD}
        )
        assert answer.ok, answer.text
        web.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield DICOMwebClient(f"{address}/dicom-web", session=web)


def test_it_stores_and_has_back_what_it_stored(
    client: DICOMwebClient,
) -> None:
    datasets = [dcmread(io.BytesIO(data)) for data in series_of("CT_small.dcm", 2)]
    study = datasets[0].StudyInstanceUID
    answer = client.store_instances(datasets, study_instance_uid=study)
    assert {one.ReferencedSOPInstanceUID for one in answer.ReferencedSOPSequence} == {
        one.SOPInstanceUID for one in datasets
    }
    assert "FailedSOPSequence" not in answer
    back = client.retrieve_study(study)
    assert {one.SOPInstanceUID: one.PixelData for one in back} == {
        one.SOPInstanceUID: one.PixelData for one in datasets
    }
    first = datasets[0]
    (converted,) = [
        one
        for one in client.retrieve_series(
            study,
            first.SeriesInstanceUID,
            media_types=(("application/dicom", JPEG_2000),),
        )
        if one.SOPInstanceUID == first.SOPInstanceUID
    ]
    assert converted.file_meta.TransferSyntaxUID == JPEG_2000
    assert (converted.pixel_array == first.pixel_array).all()
