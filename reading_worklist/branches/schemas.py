"""Branches as the API gives and takes them."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

_Code = Annotated[str, Field(min_length=1, max_length=64)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
_NameOrNone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
_Devices = Annotated[list[_Code], Field(min_length=1, max_length=500)]


class BranchBody(BaseModel):
    """A branch to add: its names, as they are printed, and the AE titles of what stands there.

    name_en: "" prints the other one on English reports too.
    """

    site_code: _Code
    name: _Name
    name_en: _NameOrNone = ""
    devices: _Devices


class BranchChange(BranchBody):
    """What a branch is called and holds from now on; branch: the name that it has."""

    branch: _Name


class BranchEnd(BaseModel):
    """A branch to close, and why."""

    site_code: _Code
    branch: _Name
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class BranchView(BaseModel):
    """A branch and the AE titles of the devices that stand in it."""

    name: str
    name_en: str
    devices: list[str]


class BranchDevice(BaseModel):
    """A device of a site; branch: where it stands, "" for the site itself."""

    ae_title: str
    name: str
    branch: str


class SiteBranches(BaseModel):
    """A visible site with its branches, by name, and all of its devices, by AE title."""

    site_code: str
    site_name: str
    site_name_en: str
    branches: list[BranchView]
    devices: list[BranchDevice]
