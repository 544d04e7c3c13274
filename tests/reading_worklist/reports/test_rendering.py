"""The drawn report, read back by an independent PDF library."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from reading_worklist.reports.document import EcgTrace, ReportDocument, ReportStatus
from reading_worklist.reports.rendering import render
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.typesetting.labels import Language, labels
from tests.support.reports import ct_report, ecg_report, text_of, typesetter

MM = 72 / 25.4


def drawn(document: ReportDocument, language: Language = Language.ZH_CN) -> bytes:
    return render(document, language, typesetter())


def trace(width: float = 250, height: float = 120) -> EcgTrace:
    """A black rectangle of exactly 100 mm × 50 mm, 10 mm from the upper left."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm"'
        f' viewBox="0 0 {width} {height}" font-family="Noto Sans CJK SC, sans-serif">'
        '<rect x="10" y="10" width="100" height="50" fill="#000000"/>'
        '<text x="130" y="30" font-size="4">aVR 心率</text></svg>'
    )
    return EcgTrace(
        svg=svg, width_mm=width, height_mm=height, filter="0.05–150 Hz", sampling="500 Hz"
    )


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", list(Language))
def test_everything_the_report_says_is_on_the_paper(language: Language) -> None:
    document = ct_report()
    text = text_of(drawn(document, language))
    said = (
        document.findings,
        document.impression,
        document.advice,
        document.patient.name,
        document.patient.identity,
        document.patient.local_id,
        document.accession_number,
        document.study_instance_uid,
        document.requester,
        document.clinical_diagnosis,
        document.device,
        document.verification_code,
        document.verification_url,
        document.examining.text(language),
        document.diagnosing.text(language),
        document.title(language),
        "2026-03-14 07:15",
        "2026-03-14 08:15",
        "2026-03-14 08:25",
        "2026-03-14 10:15",
        labels(language)["section"]["impression"],
        labels(language)["laterality"]["B"],
        labels(language)["status"]["final"],
    )
    for part in said:
        assert squeezed(part) in text


def test_markup_prints_as_text() -> None:
    hostile = (
        '#import "/etc/passwd" $x^2$ *b* _i_ `c` // gone? /* gone? */ @ref <label> '
        "<script>alert(1)</script> \\ #panic() ~ -- --- ... 'q' \"q\" = heading\n"
        "= heading\n- item\n+ item\n/ term: x\n#set page(width: 1mm)"
    )
    document = ct_report(
        findings=hostile,
        clinical_diagnosis=hostile,
        patient=replace(ct_report().patient, name=hostile, department=hostile),
    )
    text = text_of(drawn(document))
    assert text.count(squeezed(hostile)) >= 4


def test_a_character_without_a_glyph_is_seen() -> None:
    text = text_of(drawn(ct_report(impression="甲\U0002ebf0乙 \ue000 😀")))
    assert "甲□[U+2EBF0]乙□[U+E000]□[U+1F600]" in text


def test_an_endless_word_stays_on_the_paper() -> None:
    word = "".join(f"{number:04d}x" for number in range(400))
    pdf = drawn(ct_report(findings=word))
    assert word in text_of(pdf)
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        text = page.get_textpage()
        right = max(text.get_charbox(index)[2] for index in range(text.count_chars()))
        assert right <= page.get_width() - 16 * MM
    document.close()


def test_twenty_thousand_characters_and_empty_lines() -> None:
    long = "\n".join(f"{line:03d} " + "右肺上叶见结节影。" * 8 for line in range(260)) + "\n\n\n末"
    assert len(long) > 19_000
    assert squeezed(long) in _without_page_furniture(drawn(ct_report(findings=long)))


def _without_page_furniture(pdf: bytes) -> str:
    """The text between the running head and the foot of every page."""
    document = pypdfium2.PdfDocument(pdf)
    parts = []
    for page in document:
        text = page.get_textpage()
        parts.append(text.get_text_bounded(bottom=18 * MM, top=page.get_height() - 15 * MM))
    document.close()
    return squeezed("".join(parts))


def test_the_file_says_what_it_is() -> None:
    reader: Any = PdfFileReader(BytesIO(drawn(ct_report())))
    metadata = reader.root["/Metadata"].data.decode("utf-8")
    assert re.search(r'pdfaid:part(="|>)2', metadata)
    assert re.search(r'pdfaid:conformance(="|>)B', metadata)
    info = reader.trailer["/Info"]
    assert "7KQFM2XA91TD" in str(info["/Title"])
    assert "1.2.826.0.1.3680043.8.498.123456789" in str(info["/Keywords"])
    fonts = _fonts(reader.root)
    assert len(fonts) >= 2
    assert all("/FontFile3" in descriptor for descriptor in fonts)


def _fonts(root: dict[str, Any]) -> list[Any]:
    """Every font descriptor reachable from the pages."""
    found = []
    for page in root["/Pages"]["/Kids"]:
        for font in page.get_object()["/Resources"]["/Font"].values():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            found.append(descendant["/FontDescriptor"])
    return found


def _fields(pdf: bytes) -> dict[str, tuple[int, list[float]]]:
    """Page index and rectangle of every signature field."""
    reader: Any = PdfFileReader(BytesIO(pdf))
    found = {}
    pages = _pages(reader.root["/Pages"])
    for index, page in enumerate(pages):
        for annotation in page.get("/Annots", []):
            widget = annotation.get_object()
            if widget.get("/FT") == "/Sig":
                assert "/N" in widget["/AP"]
                found[str(widget["/T"])] = (index, [float(n) for n in widget["/Rect"]])
    return found


def _pages(node: dict[str, Any]) -> list[Any]:
    pages: list[Any] = []
    for kid in node["/Kids"]:
        one = kid.get_object()
        pages += _pages(one) if one["/Type"] == "/Pages" else [one]
    return pages


@pytest.mark.parametrize(
    "document",
    [
        ct_report(),
        ct_report(findings="一行。\n" * 27),
        ct_report(findings="一行。\n" * 30),
        ct_report(findings="一行。\n" * 33),
        ct_report(findings="一行。\n" * 150),
        ecg_report(trace()),
        ecg_report(trace(300, 260)),
    ],
    ids=["short", "27", "30", "33", "150", "ecg", "large-ecg"],
)
@pytest.mark.parametrize("language", list(Language))
def test_signature_fields_lie_in_the_boxes_drawn_for_them(
    document: ReportDocument, language: Language
) -> None:
    """Each field stands right below its caption, on the last page of text."""
    pdf = drawn(document, language)
    reader = pypdfium2.PdfDocument(pdf)
    fields = _fields(pdf)
    assert set(fields) == {role.value for role in SignatureRole}
    for role in SignatureRole:
        page, (left, bottom, right, top) = fields[role.value]
        assert page == len(reader) - 1 - len(document.ecg.traces if document.ecg else ())
        text = reader[page].get_textpage()
        caption = labels(language)["signature"][role.value]
        searcher = text.search(caption)
        places = []
        while (match := searcher.get_next()) is not None:
            places.append(text.get_charbox(match[0]))
        assert any(
            abs(place[0] - left) < 1 * MM and 0 < place[1] - top < 4 * MM for place in places
        ), (places, fields[role.value])
        assert (right - left) / MM == pytest.approx(58, abs=0.3)
        assert (top - bottom) / MM == pytest.approx(22, abs=0.3)
    reader.close()


@pytest.mark.parametrize("size", [(250, 120), (190, 240), (300, 260)])
def test_a_trace_is_printed_in_true_millimetres(size: tuple[float, float]) -> None:
    document = pypdfium2.PdfDocument(drawn(ecg_report(trace(*size))))
    page: Any = document[len(document) - 1]
    # 254 dpi: ten pixels to a millimetre.
    image = page.render(scale=254 / 72, grayscale=True).to_numpy().squeeze()
    # Letters are smaller than 8 mm; what is black for longer is the rectangle.
    black = image < 40
    rows = [int(row.sum()) for row in black]
    tall = [index for index, count in enumerate(rows) if count > 800]
    assert len(tall) == pytest.approx(500, abs=2)
    assert rows[tall[len(tall) // 2]] == pytest.approx(1000, abs=2)
    document.close()


def test_the_trace_page_says_its_scale_and_whose_it_is() -> None:
    document = pypdfium2.PdfDocument(drawn(ecg_report(trace())))
    text = squeezed(document[1].get_textpage().get_text_range())
    for part in ("𠮷㛃䶮", "25mm/s", "10mm/mV", "0.05–150Hz", "500Hz", "QS260314CT0007"):
        assert part in text
    document.close()


def test_device_and_centre_values_stand_side_by_side() -> None:
    text = text_of(drawn(ecg_report(trace())))
    assert "心率7271次/分" in text
    assert "PR间期161—ms" in text
    assert "ECGNORMALE" in text


@pytest.mark.parametrize(
    ("status", "mark"),
    [
        (ReportStatus.PRELIMINARY, "以正式报告为准"),
        (ReportStatus.AMENDED, "修订2"),
        (ReportStatus.REVOKED, "作废"),
    ],
)
def test_a_report_that_is_not_final_says_so_on_every_page(status: ReportStatus, mark: str) -> None:
    document = ct_report(status=status, version_number=2, findings="一行。\n" * 80)
    reader = pypdfium2.PdfDocument(drawn(document))
    assert len(reader) > 1
    for page in reader:
        assert mark in squeezed(page.get_textpage().get_text_range())
    reader.close()


def test_an_empty_impression_is_seen_and_empty_facts_are_left_out() -> None:
    text = text_of(drawn(ct_report(impression=" ", advice="", device="", requester="")))
    words = labels(Language.ZH_CN)
    assert squeezed(words["section"]["empty"]) in text
    assert words["section"]["advice"] not in text
    assert words["field"]["device"] not in text


def test_many_threads_render_at_once() -> None:
    documents = [ct_report(accession_number=f"ACC{number:05d}") for number in range(24)]
    with ThreadPoolExecutor(6) as pool:
        pdfs = list(pool.map(drawn, documents))
    for document, pdf in zip(documents, pdfs, strict=True):
        assert document.accession_number in text_of(pdf)
