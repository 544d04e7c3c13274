"""What can be wrong with a dataset, told with the tag and the place."""

from pydicom.datadict import keyword_for_tag

from storage.errors import RdcError


class DatasetError(RdcError):
    """A dataset cannot be filed as it is."""


class TruncatedDataset(DatasetError):
    """The dataset ends before one of its elements does."""


class MalformedDataset(DatasetError):
    """The bytes are no dataset in their transfer syntax, or one beyond all measure."""


class MissingUid(DatasetError):
    """An identifier without which an instance cannot be filed is absent or empty."""


class InvalidUid(DatasetError):
    """An identifier is no UID (PS3.5 §9.1)."""


def tag_name(tag: int) -> str:
    """Return a tag as people write it, with its keyword where the standard gives one."""
    group, element = tag >> 16, tag & 0xFFFF
    return f"({group:04X},{element:04X}) {keyword_for_tag(tag)}".rstrip()


def truncated(tag: int | None, at: int, expected: str, found: str) -> TruncatedDataset:
    """Return the error for data that ends at or within the element at offset `at`."""
    name = f"element {tag_name(tag)}" if tag is not None else "an element"
    return TruncatedDataset(
        f"dataset ends within {name} at byte {at}",
        expected=expected,
        found=found,
        remedy="Send the instance again; if it stays so, it is damaged at its source.",
    )


def malformed(what: str, at: int, expected: str, found: str) -> MalformedDataset:
    """Return the error for bytes at offset `at` that cannot be what they should."""
    return MalformedDataset(
        f"{what} at byte {at}",
        expected=expected,
        found=found,
        remedy="Check the transfer syntax and the software of the sending device.",
    )
