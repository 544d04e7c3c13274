"""Text that is safe to print: nothing is lost, hidden or reordered."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reading_worklist.typesetting.fonts import FontSet
from reading_worklist.typesetting.printable import breakable, lines_of, printable, unprintable
from storage.clock import utc_now
from tests.support.reports import typesetter


def everything(_: str) -> bool:
    return True


def test_every_kind_of_line_break_ends_a_line_and_inner_empty_lines_stay() -> None:
    assert lines_of("a\r\nb\rc\nd\u2028e\x0bf\n\ng\n\n") == ["a", "b", "c", "d", "e", "f", "", "g"]


def test_a_character_without_a_glyph_prints_as_a_box_with_its_code_point() -> None:
    fonts = FontSet()
    assert printable("甲\U0002ebf0乙", fonts.draws) == "甲□[U+2EBF0]乙"
    assert unprintable("甲\U0002ebf0乙\U0002ebf0", fonts.draws) == ["\U0002ebf0"]


def test_controls_private_use_and_bidirectional_overrides_are_shown() -> None:
    shown = printable("a\x07b\ue000c\u202ed", everything)
    assert shown == "a□[U+0007]b□[U+E000]c□[U+202E]d"


def test_characters_that_never_print_are_left_out() -> None:
    assert printable("a\u200bb\ufeffc\u00add\ufe0f\U000e0101", everything) == "abcd"


def test_a_space_that_the_font_lacks_stays_a_space() -> None:
    assert printable("a\u2009b", lambda c: c != "\u2009") == "a b"


def test_rare_name_characters_have_glyphs() -> None:
    assert unprintable("𠮷㛃䶮龘𫖯𬀩", FontSet().draws) == []


@given(st.text())
def test_pieces_joined_are_the_line(text: str) -> None:
    assert "".join(breakable(text)) == text


def test_an_endless_word_gets_places_to_break_but_ordinary_words_do_not() -> None:
    assert len(breakable("A" * 120)) == 10
    assert breakable("mediastinal lymphadenopathy 双肺纹理清晰" * 3) == [
        "mediastinal lymphadenopathy 双肺纹理清晰" * 3
    ]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_set(text: str) -> None:
    """The compiler refuses a glyph that no font has: it must never get one."""
    template = b"""
        #set text(font: ("Noto Sans CJK SC", "Noto Sans CJK JP"))
        #let data = json(bytes(sys.inputs.data))
        #for line in data.lines { par(line.map(p => text(p)).join(box(width: 0pt))) }
    """
    data = {"lines": typesetter().lines(text)}
    assert typesetter().compile(template, data, created_at=utc_now()).startswith(b"%PDF-")
