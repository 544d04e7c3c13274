"""The words and the fonts of paper."""

import re
import struct
from pathlib import Path

import pytest

from reading_worklist.typesetting import fonts
from reading_worklist.typesetting.fonts import (
    FontFileDamaged,
    FontSet,
    bundled_font_directories,
    character_table,
)
from reading_worklist.typesetting.labels import Language, labels
from reading_worklist.typesetting.typesetter import Typesetter, TypesettingFailed
from storage.clock import utc_now


def test_both_languages_have_the_same_words_with_the_same_places_to_fill() -> None:
    def shape(language: Language) -> dict[tuple[str, str], list[str]]:
        return {
            (group, key): sorted(re.findall(r"\{\w+\}", text))
            for group, entries in labels(language).items()
            for key, text in entries.items()
        }

    assert shape(Language.ZH_CN) == shape(Language.EN)


def test_every_word_of_the_labels_can_be_drawn() -> None:
    setter = Typesetter()
    for language in Language:
        for entries in labels(language).values():
            assert setter.unprintable("\n".join(entries.values())) == []


def test_the_fonts_come_from_packages() -> None:
    for directory in bundled_font_directories():
        assert "site-packages" in directory.parts


def test_a_further_directory_may_hold_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no font", encoding="utf-8")
    assert FontSet((tmp_path,)).draws("𠮷")


def test_standard_characters_of_china_are_covered() -> None:
    draws = FontSet().draws
    urban = [chr(point) for point in range(0x4E00, 0x9FA6)]
    assert [character for character in urban if not draws(character)] == []


def test_a_template_that_fails_does_not_quote_the_data() -> None:
    template = b"#let data = json(bytes(sys.inputs.data))\n#panic(data.secret)"
    with pytest.raises(TypesettingFailed) as failure:
        Typesetter().compile(template, {"secret": "张三的姓名"}, created_at=utc_now())
    assert "张三" not in str(failure.value)


def test_a_damaged_font_file_is_named(tmp_path: Path) -> None:
    original = next(iter(bundled_font_directories()[1].glob("*.otf")))
    whole = original.read_bytes()
    broken = tmp_path / "Broken.otf"
    # The directory of tables stays, so that the file still passes for a font.
    broken.write_bytes(whole[:4096])
    with pytest.raises(FontFileDamaged, match=r"Broken\.otf"):
        character_table(broken, 0)


def test_both_kinds_of_character_table_say_the_same() -> None:
    """Older fonts have the table for the basic plane alone; ours has both."""
    path = next(iter(bundled_font_directories()[1].glob("*.otf")))
    whole = path.read_bytes()
    full_entry = struct.pack(">HHI", 3, 10, 0)[:4]
    at = whole.index(full_entry, fonts._table_offset(whole, 0))
    # Without the entries of Unicode's full repertoire, (3, 10) and (0, 4), only format 4 is left.
    basic = bytearray(whole)
    (offset,) = struct.unpack_from(">I", whole, at + 4)
    struct.pack_into(">H", basic, fonts._table_offset(whole, 0) + offset, 0)
    assert set(fonts._code_points(bytes(basic), 0)) == {
        point for point in fonts._code_points(whole, 0) if point <= 0xFFFF
    }
