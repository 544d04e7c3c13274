"""What PDF/A-2b (ISO 19005-2) claims, in the finished file with all its revisions."""

import re
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from reading_worklist.reports.document import EcgTrace, PrintedImage
from reading_worklist.reports.rendering import render
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.peers import require_program
from tests.support.pictures import jpeg
from tests.support.reports import CHINESE, authority, ct_report, ecg_report, signer, typesetter

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="250mm" height="120mm" viewBox="0 0 250 120">'
    '<path d="M0 60 L250 60" stroke="black"/></svg>'
)


@pytest.fixture(scope="module", params=["ct", "images", "ecg"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A report with rare characters, signed twice, stamped twice."""
    folder = tmp_path_factory.mktemp("authority")
    issuer = authority(folder)
    long_term = LongTerm(make_service_keys(folder, issuer))
    image = PrintedImage(
        series_instance_uid="1.2", sop_instance_uid="1.2.3", frame_number=1, picture=jpeg()
    )
    document = {
        "ct": ct_report(findings="𠮷㛃䶮 " * 20),
        "images": ct_report(key_images=(image, image)),
        "ecg": ecg_report(EcgTrace(svg=_SVG, width_mm=250, height_mm=120)),
    }[str(request.param)]
    now = utc_now()
    pdf = render(document, Language.ZH_CN, typesetter())
    for who, sign in (("李建国", sign_as_writer), ("𠮷田䶮", sign_as_reviewer)):
        person = signer(issuer, who)
        pdf = sign(pdf, person, appearance=CHINESE, typesetter=typesetter(), signed_at=now)
    return long_term.conclude(long_term.conclude(pdf, at=now), at=now)


def revisions(pdf: bytes) -> list[bytes]:
    return [pdf[: found.end()] for found in re.finditer(rb"%%EOF\n?", pdf)]


def everything(root: Any) -> Iterator[Any]:  # noqa: ANN401 - pyHanko has no types
    """Every dictionary that can be reached from the catalogue."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, generic.IndirectObject):
            if (one.idnum, one.generation) in seen:
                continue
            seen.add((one.idnum, one.generation))
            one = one.get_object()
        if isinstance(one, generic.DictionaryObject):
            yield one
            waiting += [one.raw_get(key) for key in one]
        elif isinstance(one, generic.ArrayObject):
            waiting += [one.raw_get(at) for at in range(len(one))]


def test_every_revision_is_pdf_1_7_and_says_it_is_pdf_a_2b(finished: bytes) -> None:
    assert finished.startswith(b"%PDF-1.7")
    assert len(revisions(finished)) == 6
    for revision in revisions(finished):
        reader: Any = PdfFileReader(BytesIO(revision))
        assert reader.root.get("/Version", "/1.7") == "/1.7"
        assert "/Encrypt" not in reader.trailer_view
        metadata = reader.root["/Metadata"].data.decode("utf-8")
        assert re.search(r'pdfaid:part(="|>)2', metadata)
        assert re.search(r'pdfaid:conformance(="|>)B', metadata)
        (intent,) = reader.root["/OutputIntents"]
        assert intent.get_object()["/S"] == "/GTS_PDFA1"
        assert intent.get_object()["/DestOutputProfile"].data


def test_every_font_is_embedded_and_nothing_runs_or_refers_outside(finished: bytes) -> None:
    reader: Any = PdfFileReader(BytesIO(finished))
    fonts = 0
    for one in everything(reader.root):
        kind = one.get("/Type")
        if kind == "/FontDescriptor":
            fonts += 1
            assert "/FontFile3" in one or "/FontFile2" in one
        assert one.get("/S") not in {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm"}
        assert not {"/AA", "/OpenAction", "/XFA", "/EF", "/JS"} & set(one)
        if one.get("/Subtype") == "/Image":
            assert one.get("/Interpolate", False) is False or not one["/Interpolate"]
    # The page's and those of both signatures.
    assert fonts >= 4


def test_every_field_is_printed_as_it_looks(finished: bytes) -> None:
    """ISO 19005-2 §6.3: a field has an appearance unless it has no size, and is not hidden."""
    reader: Any = PdfFileReader(BytesIO(finished))
    widgets = [one for one in everything(reader.root) if one.get("/Subtype") == "/Widget"]
    assert len(widgets) == 4
    for widget in widgets:
        flags = int(widget["/F"])
        assert flags & 4, "printed"
        assert not flags & (1 | 2 | 32), "neither invisible nor hidden"
        left, bottom, right, top = (float(one) for one in widget["/Rect"])
        assert (left, bottom) == (right, top) or "/N" in widget["/AP"]
    assert not reader.root["/AcroForm"].get("/NeedAppearances", False)


def test_qpdf_has_nothing_to_say(finished: bytes, tmp_path: Path) -> None:
    qpdf = require_program("qpdf", package="qpdf")
    for number, revision in enumerate(revisions(finished)):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(revision)
        done = subprocess.run([qpdf, "--check", path], capture_output=True, timeout=60, check=False)
        said = (done.stdout + done.stderr).decode()
        assert (done.returncode, "WARNING" in said) == (0, False), said
