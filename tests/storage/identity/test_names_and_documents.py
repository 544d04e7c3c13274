"""Names by evidence, and what a resident identity number says."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.identifiers import InvalidIdentifier
from storage.identity.documents import DocumentFlaw, ResidentId, check_character, flaw
from storage.identity.names import names_agree
from storage.orders.words import DocumentKind
from storage.transliteration import to_ascii, with_pinyin


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("张伟", "Zhang^Wei=张^伟", True),
        ("张伟", "ZHANG WEI", True),
        ("张伟", "Zhang^Wei", True),
        ("张伟", "WEI ZHANG", True),
        ("张伟", "ZHANGWEI", True),
        ("张伟", "Zhang^Wei^^", True),
        ("张伟", "张 伟 ZHANG WEI", True),
        ("单雄信", "Shan^Xiongxin", True),
        ("曾国藩", "ZENG GUOFAN", True),
        ("吕布", "LV BU", True),
        ("吕布", "Lyu^Bu", True),
        ("欧阳娜娜", "Nana Ouyang", True),
        ("Müller^Hans", "MÜLLER HANS", True),
        ("张伟", "张炜", False),
        ("张伟", "ZHANG WEN", False),
        ("张伟", "ZW", False),
        ("王丽之子A", "王丽之子B", False),
        ("王丽之子1", "王丽之子2", False),
        ("王丽之子", "王丽之女", False),
        ("Zhang^Wei", "Zhang^Min", False),
        ("张伟", "", None),
        ("", "", None),
        ("^^=", "张伟", None),
    ],
)
def test_names_agree_where_one_person_can_be_meant(
    one: str, other: str, *, agree: bool | None
) -> None:
    assert names_agree(one, other) is agree
    assert names_agree(other, one) is agree


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_name_breaks_the_comparison(one: str, other: str) -> None:
    assert names_agree(one, other) == names_agree(other, one)
    assert names_agree(one, one) in {True, None}


def test_an_old_number_is_brought_to_eighteen_places() -> None:
    old = ResidentId.parse("110105491231002")
    assert old == ResidentId("11010519491231002X", date(1949, 12, 31), "F")
    assert ResidentId.parse("11010519491231002x") == old


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 999))
def test_every_wrong_digit_shows(born: date, serial: int) -> None:
    body = f"330102{born:%Y%m%d}{serial:03d}"
    number = body + check_character(body)
    found = ResidentId.parse(number)
    assert (found.birth_date, found.sex) == (born, "M" if serial % 2 else "F")
    wrong = number[:16] + str((int(number[16]) + 1) % 10) + number[17]
    with pytest.raises(InvalidIdentifier) as caught:
        ResidentId.parse(wrong)
    assert number not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        (DocumentKind.RESIDENT_ID, "11010519491231002X", None),
        (DocumentKind.RESIDENT_ID, "110105194912310021", DocumentFlaw.MALFORMED),
        (DocumentKind.RESIDENT_ID, "11010519491331002X", DocumentFlaw.MALFORMED),
        (DocumentKind.RESIDENT_ID, None, DocumentFlaw.MISSING),
        (DocumentKind.PASSPORT, "E12345678", None),
        (DocumentKind.NEWBORN, None, None),
        (DocumentKind.NEWBORN, "1", DocumentFlaw.UNEXPECTED),
        (None, "1", DocumentFlaw.UNEXPECTED),
        (None, None, None),
    ],
)
def test_flaws_of_documents(
    kind: DocumentKind | None, number: str | None, expected: DocumentFlaw | None
) -> None:
    assert flaw(kind, number, sex="F", birth_date=date(1949, 12, 31)) is expected


def test_a_document_is_held_against_birth_date_and_sex() -> None:
    number = "11010519491231002X"
    resident = DocumentKind.RESIDENT_ID
    assert flaw(resident, number, sex="M", birth_date=None) is DocumentFlaw.SEX
    assert flaw(resident, number, sex="F", birth_date=date(1950, 1, 1)) is DocumentFlaw.BIRTH_DATE
    assert flaw(resident, number, sex="O", birth_date=None) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("张伟", "Zhang^Wei=张^伟"),
        ("欧阳娜娜", "Ouyang^Nana=欧阳^娜娜"),
        ("吕^布", "Lyu^Bu=吕^布"),
        ("Zhang^Wei=张^伟", "Zhang^Wei=张^伟"),
        ("Müller^Hans", "Müller^Hans"),
        ("", ""),
    ],
)
def test_a_name_gets_a_group_every_device_reads(name: str, told: str) -> None:
    assert with_pinyin(name) == told


@given(st.text(max_size=50))
def test_transliteration_is_ascii(text: str) -> None:
    assert to_ascii(text).isascii()
    first = text.split("=", maxsplit=1)[0]
    if any("\u4e00" <= character <= "\u9fff" for character in first):
        assert with_pinyin(text).split("=")[0].isascii()
