"""What a forger may do to a finished file, and that none of it is taken for a report."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from reading_worklist.signing.authority import Authority
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Reason, Verdict
from reading_worklist.signing.verification import verify
from storage.clock import utc_now
from tests.reading_worklist.signing.test_verification import signed_by_hand, written_by
from tests.support.reports import CHINESE, authority, signer, typesetter
from tests.support.soak import SOAK

# A third of a second for each attack, and there are many.
pytestmark = pytest.mark.slow

WRITER, REVIEWER = SignatureRole.WRITER, SignatureRole.REVIEWER
Attack = Callable[[IncrementalPdfFileWriter], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def issuer(folder: Path) -> Authority:
    return authority(folder)


@pytest.fixture(scope="module")
def anchors(issuer: Authority) -> list[str]:
    return [issuer.certificate_pem]


@pytest.fixture(scope="module")
def people(issuer: Authority) -> tuple[Signer, Signer]:
    return signer(issuer, "李建国"), signer(issuer, "王芳")


@pytest.fixture(scope="module")
def written(people: tuple[Signer, Signer]) -> bytes:
    return written_by(people[0])


@pytest.fixture(scope="module")
def report(written: bytes, people: tuple[Signer, Signer], folder: Path, issuer: Authority) -> bytes:
    now = utc_now()
    both = sign_as_reviewer(
        written, people[1], appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )
    return LongTerm(make_service_keys(folder, issuer)).conclude(both, at=now)


@pytest.fixture(scope="module", autouse=True)
def it_is_good_to_begin_with(report: bytes, anchors: list[str]) -> None:
    assert verify(report, anchors).verdict is Verdict.VALID


# ---- bytes -------------------------------------------------------------------------------------


@settings(max_examples=2000 if SOAK else 15, deadline=None, database=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_found(
    report: bytes, anchors: list[str], place: float, bit: int
) -> None:
    altered = bytearray(report)
    altered[int(place * len(report))] ^= 1 << bit
    assert verify(bytes(altered), anchors).verdict is Verdict.INVALID


@settings(max_examples=500 if SOAK else 8, deadline=None, database=None)
@given(place=st.floats(0, 1, exclude_max=True), length=st.integers(1, 400), data=st.data())
def test_bytes_taken_out_or_put_in_are_found(
    report: bytes, anchors: list[str], place: float, length: int, data: st.DataObject
) -> None:
    at = int(place * len(report))
    new = data.draw(st.binary(max_size=40).filter(lambda one: one != report[at : at + length]))
    altered = report[:at] + new + report[at + length :]
    assert verify(altered, anchors).verdict is Verdict.INVALID


def test_a_truncated_file_is_never_valid(report: bytes, written: bytes, anchors: list[str]) -> None:
    """Cut back to the end of a revision it is a file again, and lacks a signature."""
    assert verify(report[: len(written)], anchors).reason is Reason.SIGNATURE_MISSING
    for length in (len(report) - 1, len(report) // 2, 2000, 10, 0):
        assert verify(report[:length], anchors).verdict is Verdict.INVALID


# ---- appended revisions and shadow attacks -------------------------------------------------------


def page_of(writer: IncrementalPdfFileWriter) -> Any:  # noqa: ANN401 - pyHanko has no types
    return writer.root["/Pages"]["/Kids"].raw_get(0).get_object()


def stream(writer: IncrementalPdfFileWriter, content: bytes, **more: Any) -> Any:  # noqa: ANN401
    entries = {pdf_name(f"/{name}"): value for name, value in more.items()}
    return writer.add_object(generic.StreamObject(entries, stream_data=content))


def replace_content(writer: IncrementalPdfFileWriter) -> None:
    """Replace: the page's content is another object now."""
    page = page_of(writer)
    page["/Contents"] = stream(writer, b"BT /F1 12 Tf 72 700 Td (Normal) Tj ET")
    writer.update_container(page)


def overwrite_content(writer: IncrementalPdfFileWriter) -> None:
    """Replace in place: the same object number, other bytes."""
    page = page_of(writer)
    content = page.raw_get("/Contents")
    reference = content.reference if isinstance(content, generic.IndirectObject) else content[0]
    old: Any = reference.get_object()
    old._data = b"1 1 1 rg 0 0 600 900 re f"
    old._encoded_data = None
    writer.mark_update(reference)


def annotate(subtype: str) -> Attack:
    """Hide: something stands over the text."""

    def attack(writer: IncrementalPdfFileWriter) -> None:
        box = generic.ArrayObject([generic.FloatObject(n) for n in ("50", "400", "550", "600")])
        look = stream(
            writer,
            b"1 1 1 rg 0 0 500 200 re f",
            Type=pdf_name("/XObject"),
            Subtype=pdf_name("/Form"),
            BBox=box,
        )
        annotation = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Annot"),
                pdf_name("/Subtype"): pdf_name(subtype),
                pdf_name("/Rect"): box,
                pdf_name("/F"): generic.NumberObject(4),
                pdf_name("/Contents"): generic.TextStringObject("正常"),
                pdf_name("/AP"): generic.DictionaryObject({pdf_name("/N"): look}),
            }
        )
        page = page_of(writer)
        annotations = generic.ArrayObject([*page.get("/Annots", ()), writer.add_object(annotation)])
        page["/Annots"] = annotations
        writer.update_container(page)

    return attack


def replace_appearance(writer: IncrementalPdfFileWriter) -> None:
    """Another name is drawn where the writer's stands."""
    widget = writer.root["/AcroForm"]["/Fields"].raw_get(0).get_object()
    box = generic.ArrayObject([generic.FloatObject(n) for n in ("0", "0", "100", "50")])
    widget["/AP"] = generic.DictionaryObject(
        {
            pdf_name("/N"): stream(
                writer,
                b"0 0 100 50 re f",
                Type=pdf_name("/XObject"),
                Subtype=pdf_name("/Form"),
                BBox=box,
            )
        }
    )
    writer.update_container(widget)


def swap_pages(writer: IncrementalPdfFileWriter) -> None:
    """Hide and replace: the page tree names another page."""
    old = page_of(writer)
    page = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"),
            pdf_name("/MediaBox"): old["/MediaBox"],
            pdf_name("/Parent"): writer.root.raw_get("/Pages"),
            pdf_name("/Contents"): stream(writer, b"0 0 100 100 re f"),
        }
    )
    pages = writer.root["/Pages"]
    pages["/Kids"] = generic.ArrayObject([writer.add_object(page)])
    writer.update_container(pages)


def change_font(writer: IncrementalPdfFileWriter) -> None:
    """Replace: the same codes, other glyphs."""
    resources = page_of(writer)["/Resources"]
    fonts = resources["/Font"]
    name = next(iter(fonts))
    fonts[name] = writer.add_object(
        generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/Type1"),
                pdf_name("/BaseFont"): pdf_name("/Helvetica"),
            }
        )
    )
    writer.update_container(fonts)


def open_action(writer: IncrementalPdfFileWriter) -> None:
    """Something runs when the file is opened."""
    writer.root["/OpenAction"] = generic.DictionaryObject(
        {
            pdf_name("/S"): pdf_name("/JavaScript"),
            pdf_name("/JS"): generic.TextStringObject("app.alert(1)"),
        }
    )
    writer.update_root()


def lose_the_form(writer: IncrementalPdfFileWriter) -> None:
    """The signatures are named no more."""
    del writer.root["/AcroForm"]
    writer.update_root()


ATTACKS: dict[str, Attack] = {
    "content replaced": replace_content,
    "content overwritten": overwrite_content,
    "free text over it": annotate("/FreeText"),
    "stamp over it": annotate("/Stamp"),
    "appearance of a signature": replace_appearance,
    "pages swapped": swap_pages,
    "font changed": change_font,
    "action added": open_action,
    "form removed": lose_the_form,
}


def attacked(pdf: bytes, attack: Attack) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    attack(writer)
    output = BytesIO()
    writer.write(output)
    assert output.getvalue().startswith(pdf)
    return output.getvalue()


@pytest.mark.parametrize("name", ATTACKS)
def test_a_revision_behind_the_finished_report_is_found(
    report: bytes, anchors: list[str], name: str
) -> None:
    assert verify(attacked(report, ATTACKS[name]), anchors).verdict is Verdict.INVALID


@pytest.mark.parametrize("name", [one for one in ATTACKS if one != "form removed"])
def test_what_a_reviewer_slips_in_under_his_signature_is_found(
    written: bytes, people: tuple[Signer, Signer], anchors: list[str], name: str
) -> None:
    """The forger holds a real reviewer's key, and the writer's signature stays as it was."""
    forged = signed_by_hand(attacked(written, ATTACKS[name]), people[1], "reviewer")
    result = verify(forged, anchors)
    assert result.verdict is Verdict.INVALID
    assert result.reason is Reason.CHANGED_AFTERWARDS


def test_a_signature_moved_to_another_document_covers_nothing(
    report: bytes, people: tuple[Signer, Signer], anchors: list[str]
) -> None:
    other = bytearray(written_by(people[0]))
    last: Any = PdfFileReader(BytesIO(bytes(other))).embedded_regular_signatures[-1]
    _, start, end, _ = last.byte_range
    first: Any = PdfFileReader(BytesIO(report)).embedded_regular_signatures[0]
    _, from_start, from_end, _ = first.byte_range
    size = end - start - 2
    moved = report[from_start + 1 : from_end - 1].rstrip(b"0")
    other[start + 1 : end - 1] = moved.ljust(size, b"0")[:size]
    result = verify(bytes(other), anchors, required=(WRITER,))
    assert (result.verdict, result.reason) == (Verdict.INVALID, Reason.CONTENT_CHANGED)


def test_a_range_that_leaves_something_out_is_found(report: bytes, anchors: list[str]) -> None:
    """The signed ranges are shifted so that a gap for other content appears."""
    first: Any = PdfFileReader(BytesIO(report)).embedded_regular_signatures[0]
    _, start, end, length = first.byte_range
    old = f"{start} {end} {length}".encode()
    assert old in report
    for shifted in ((start - 1, end, length), (start, end + 1, length), (start, end, length - 1)):
        new = " ".join(str(one) for one in shifted).encode()
        if len(new) == len(old):
            altered = report.replace(old, new)
            assert verify(altered, anchors).verdict is Verdict.INVALID
