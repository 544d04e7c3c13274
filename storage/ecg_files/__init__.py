"""ECG files as they came: the originals, what became of each, and the object made of it."""

from storage.ecg_files.formats import EcgFormat

__all__ = ["EcgFormat"]
