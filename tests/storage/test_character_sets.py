"""Text as the field writes it: declared well, oddly, wrongly or not. All names are made up."""

import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_charset_files

from storage.character_sets import GB18030, LATIN1, UTF8, SpecificCharacterSet, decode_text

CHINESE = (
    "张伟",
    "王^小东",
    "欧阳^文华",
    "司马^玥",
    "陶喆",
    "朱^镕坚",
    "周^堃",
    "李^昇",
    "吕^珺",
    "佟倩",
    "滕^翀",
    "郗郄",
    "模",
    "单^一",
    "仇^英=仇^英",
    "Wang^XiaoDong=王^小东",
    "LI NA=李^娜",
    "胸部CT平扫",
    "头颅MR",
    "头CT",
    "CT平扫MR",
    "上腹部CT增强（急诊）",
    "脑MRI",
    "脑CTPA",
    "L4椎体Ⅱ度滑脱",
    "T2WI像",
    "FLAIR像",
    "双肾、膀胱B超",
    "东河镇卫生院",
    "东河镇卫生院 放射科",
)
RARE_CHINESE = ("赵^㛃", "吴^𠮷", "䶮", "喆", "王^㛃𠮷")
WESTERN = (
    "Buc^Jérôme",
    "Äneas^Rüdiger",
    "Núñez^José",
    "NÚÑEZ^MARIA",
    "CONCEIÇÃO^JOÃO",
    "Conceição^João",
    "Määttä^Päivi",
    "Pääkkönen^Jyrki",
    "SILLANPÄÄ^TIINA",
    "Sørensen^Åse",
    "Grønbæk^Søren",
    "Größe^Jürgen",
    "GRÖßE",
    "Noël^Zoë",
    "Geëerd^Daniël",
    "Ibáñez^Íñigo",
    "Þór^Guðrún",
    "Sæþórsdóttir^Edda",
    "Lefèvre^Anaïs",
    "Thorax a.p., 37°C, ±2 µg",
    "Schädel für Übersicht",
    "crâne de face",
)
EASTERN = (
    ("ISO_IR 144", "iso8859_5", "Люксембург^Иван"),
    ("ISO_IR 126", "iso8859_7", "Διονυσιος"),
    ("ISO_IR 127", "iso8859_6", "قباني^لنزار"),
    ("ISO_IR 138", "iso8859_8", "שרון^דבורה"),
    ("ISO_IR 101", "iso8859_2", "Dvořák^Zdeněk"),
    ("ISO_IR 148", "iso8859_9", "Yıldız^Çağla"),
    ("ISO_IR 166", "iso8859_11", "สมชาย"),
    ("ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
    ("ISO_IR 203", "iso8859_15", "Œuvre^Šárka"),
)


class TestChinese:
    @pytest.mark.parametrize("declared", ["GB18030", "GBK", "gbk ", "GB2312", "ISO_IR 58"])
    @pytest.mark.parametrize("name", CHINESE)
    def test_declared(self, name: str, declared: str) -> None:
        raw = name.encode("gb18030")
        found = decode_text(raw, declared)
        assert (found.text, found.character_set, found.guessed) == (name, GB18030, False)
        assert found.original == raw

    @pytest.mark.parametrize("name", RARE_CHINESE)
    def test_rare_characters_declared(self, name: str) -> None:
        assert decode_text(name.encode("gb18030"), "GB18030").text == name

    @pytest.mark.parametrize("declared", ["", "ISO_IR 100", "ISO_IR 6", "ISO 2022 IR 100", "what?"])
    @pytest.mark.parametrize("name", CHINESE)
    def test_gbk_mislabelled_or_unlabelled(self, name: str, declared: str) -> None:
        found = decode_text(name.encode("gb18030"), declared)
        assert (found.text, found.character_set, found.guessed) == (name, GB18030, True)

    @pytest.mark.parametrize("name", RARE_CHINESE)
    def test_rare_characters_beside_a_usual_one_unlabelled(self, name: str) -> None:
        value = f"Zhao^Jie=赵={name}"
        assert decode_text(value.encode("gb18030"), "ISO_IR 100").text == value

    @pytest.mark.parametrize("declared", ["", "ISO_IR 100", "GB18030", "GBK"])
    @pytest.mark.parametrize("name", CHINESE + RARE_CHINESE)
    def test_utf8_mislabelled_or_unlabelled(self, name: str, declared: str) -> None:
        found = decode_text(name.encode(), declared)
        assert (found.text, found.character_set, found.guessed) == (name, UTF8, True)

    @pytest.mark.parametrize(
        "declared", ["ISO_IR 192", "ISO IR 192", "iso_ir_192", "UTF-8", "\\192"]
    )
    @pytest.mark.parametrize("name", CHINESE + RARE_CHINESE + WESTERN)
    def test_utf8_declared(self, name: str, declared: str) -> None:
        found = decode_text(name.encode(), declared)
        assert (found.text, found.character_set, found.guessed) == (name, UTF8, False)

    @pytest.mark.parametrize("name", CHINESE)
    def test_gbk_declared_as_utf8(self, name: str) -> None:
        raw = name.encode("gb18030")
        found = decode_text(raw, "ISO_IR 192")
        try:
            raw.decode()
        except UnicodeDecodeError:
            assert (found.text, found.character_set, found.guessed) == (name, GB18030, True)
        else:
            assert found.character_set == UTF8

    @pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
    @pytest.mark.parametrize("name", CHINESE)
    def test_two_that_exclude_each_other(self, name: str, codec: str) -> None:
        found = decode_text(name.encode(codec), "GB18030\\ISO IR 192")
        assert (found.text, found.guessed) == (name, True)
        assert found.character_set == (GB18030 if codec == "gb18030" else UTF8)

    @pytest.mark.parametrize("declared", ["\\ISO 2022 IR 58", "ISO 2022 IR 58", "ISO 2022 58"])
    def test_code_extension(self, declared: str) -> None:
        raw = (
            b"Zhang^XiaoDong=\x1b$)A"
            + "张".encode("gb2312")
            + b"^\x1b$)A"
            + "小东".encode("gb2312")
        )
        found = decode_text(raw, declared)
        assert (found.text, found.guessed) == ("Zhang^XiaoDong=张^小东", False)

    def test_code_extension_that_is_not_repeated_after_a_delimiter(self) -> None:
        raw = b"Zhang^XiaoDong=\x1b$)A" + "张^小东".encode("gb2312")
        found = decode_text(raw, "\\ISO 2022 IR 58")
        assert (found.text, found.guessed) == ("Zhang^XiaoDong=张^小东", True)

    def test_code_extension_that_is_not_declared(self) -> None:
        raw = b"\x1b$)A" + "张".encode("gb2312")
        found = decode_text(raw, "ISO_IR 100")
        assert (found.text, found.guessed) == ("张", True)

    def test_code_extension_declared_and_left_out(self) -> None:
        found = decode_text("张^小东".encode("gb2312"), "\\ISO 2022 IR 58")
        assert (found.text, found.guessed) == ("张^小东", False)

    @pytest.mark.parametrize(
        ("codec", "declared"),
        [
            ("gb18030", "GB18030"),
            ("gb18030", ""),
            ("gb18030", "ISO_IR 192"),
            ("gb18030", "ISO_IR 100"),
            ("utf-8", "GB18030"),
            ("utf-8", "ISO_IR 192"),
        ],
    )
    def test_a_value_cut_within_its_last_character(self, codec: str, declared: str) -> None:
        raw = "欧阳^文华江山".encode(codec)[:-1]
        found = decode_text(raw, declared)
        assert found.text == "欧阳^文华江\ufffd"
        assert found.guessed


class TestOthers:
    @pytest.mark.parametrize(
        "declared", ["ISO_IR 100", "ISO 2022 IR 100", "ISO-IR 100", "ISO8859-1"]
    )
    @pytest.mark.parametrize("name", WESTERN)
    def test_latin_stays_latin(self, name: str, declared: str) -> None:
        found = decode_text(name.encode("latin_1"), declared)
        assert (found.text, found.guessed) == (name, False)
        assert found.character_set == LATIN1

    @pytest.mark.parametrize("name", WESTERN)
    def test_latin_unlabelled_is_a_guess(self, name: str) -> None:
        found = decode_text(name.encode("latin_1"), "")
        assert (found.text, found.character_set, found.guessed) == (name, LATIN1, True)

    @pytest.mark.parametrize("name", WESTERN)
    def test_latin_in_utf8_under_a_wrong_label(self, name: str) -> None:
        found = decode_text(name.encode(), "ISO_IR 100")
        assert (found.text, found.character_set, found.guessed) == (name, UTF8, True)

    @pytest.mark.parametrize(("declared", "codec", "name"), EASTERN)
    def test_other_alphabets_are_believed(self, declared: str, codec: str, name: str) -> None:
        found = decode_text(name.encode(codec), declared)
        assert (found.text, found.guessed) == (name, False)

    def test_windows_punctuation_under_latin(self) -> None:
        found = decode_text("O’Brien – “copy”".encode("cp1252"), "ISO_IR 100")
        assert (found.text, found.guessed) == ("O’Brien – “copy”", True)

    def test_plain_text_needs_no_guess_whatever_is_declared(self) -> None:
        for declared in ("", "ISO_IR 100", "GBK", "GB18030\\ISO IR 192", "nonsense"):
            found = decode_text(b"Doe^John \0", declared)
            assert (found.text, found.guessed) == ("Doe^John", False)
            assert found.original == b"Doe^John \0"

    def test_control_characters_never_reach_the_database(self) -> None:
        assert decode_text(b"a\0b\x07c\td\x1be").text == "abc\tde"
        assert decode_text("张\0伟\x7f".encode("gb18030")).text == "张伟"


# The two chrSQ files hold their text inside a sequence.
EXAMPLES = sorted(path for path in get_charset_files("*.dcm") if "chrSQ" not in path)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: Path(path).name)
def test_standard_examples_are_read_as_pydicom_reads_them(path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        declared = dataset.get("SpecificCharacterSet") or ""
        name = dataset.PatientName
    found = decode_text(
        name.original_string, declared if isinstance(declared, str) else list(declared)
    )
    assert found.text.rstrip("=") == str(name).rstrip("=")
    assert not found.guessed


@given(
    st.binary(max_size=80),
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"",
                b"GBK",
                b"ISO 2022 IR 13\\ISO 2022 IR 87",
                b"ISO_IR 192",
                b"ISO_IR 100",
                b"ISO_IR 166",
                b"\\ISO 2022 IR 149",
            ]
        ),
    ),
)
def test_any_bytes_give_text_that_a_database_takes(raw: bytes, declared: bytes) -> None:
    found = SpecificCharacterSet.parse(declared).decode(raw)
    assert found.original == raw
    assert "\0" not in found.text
    found.text.encode()


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=10))
def test_any_chinese_that_is_declared_survives(text: str) -> None:
    assert decode_text(text.encode(), "ISO_IR 192").text == text
    raw = text.encode("gb18030")
    found = decode_text(raw, "GB18030")
    assert found.text == text or found.guessed
