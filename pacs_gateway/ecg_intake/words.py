"""Text out of a file, decoded by evidence and fit for one line."""

from storage.character_sets import decode_text

_LIMIT = 1024
_LATIN_1 = 0xFF


def by_evidence(text: str) -> str:
    """Return the text on one line, put right where a library took Chinese bytes for Latin-1.

    Libraries fall back to Latin-1, which gives every byte a character: so the bytes can be had
    again and say themselves what they are.
    """
    beyond = [character for character in text if not character.isascii()]
    if beyond and all(ord(character) <= _LATIN_1 for character in beyond):
        text = decode_text(text.encode("latin-1", errors="replace"), "ISO_IR 100").text
    printable = "".join(c if c.isprintable() else " " for c in text[:_LIMIT])
    return " ".join(printable.split())
