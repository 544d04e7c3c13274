"""The two lanes of the queue."""

from enum import StrEnum


class Lane(StrEnum):
    """Which doctors read it."""

    IMAGING = "imaging"
    ECG = "ecg"
