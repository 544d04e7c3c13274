"""Key images as the API gives and takes them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

_WINDOW_MAX = 1e7
_Uid = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9.]+$")]


class KeyImageBody(BaseModel):
    """A frame of the exam, and the window it is shown in; without one, that of its header."""

    sop_instance_uid: _Uid
    frame_number: int = Field(default=1, ge=1, le=2**31 - 1)
    window_center: float | None = Field(default=None, ge=-_WINDOW_MAX, le=_WINDOW_MAX)
    window_width: float | None = Field(default=None, gt=0, le=_WINDOW_MAX)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.window_center is None) != (self.window_width is None):
            message = "a window has a centre and a width"
            raise ValueError(message)
        return self


class KeyImageOrder(BaseModel):
    """The ids of all key images, in the order in which they shall be printed."""

    ids: list[UUID] = Field(max_length=100)


class KeyImageView(BaseModel):
    """A frame chosen for the report.

    frame_count: how many the instance has. picture_url: it as a picture, which takes the parameters
    of rendered resources (PS3.18 §8.3.5) that come after `window`.
    """

    id: UUID
    sop_instance_uid: str
    series_instance_uid: str
    series_number: int | None
    instance_number: int | None
    frame_number: int
    frame_count: int
    window_center: float | None
    window_width: float | None
    added_at: datetime
    picture_url: str
