"""Templates and snippets as the API takes and gives them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reading_worklist.reports.codes import CodeName
from reading_worklist.typesetting.labels import Language

TEXT_LENGTH_MAX = 20_000
FIELDS_MAX = 40
NAME_PATTERN = r"^[A-Za-z\u3400-\u9fff][A-Za-z0-9\u3400-\u9fff /_-]{0,39}$"

FieldKind = Literal["choice", "number", "text", "date"]
_Text = Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]
_Word = Annotated[str, Field(min_length=1, max_length=200)]
_Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class TemplateField(BaseModel):
    """A place of a template that the doctor fills.

    name: how the texts name it, as in {大小}; people read the same word. choices: of a choice, the
    first is what is usual. unit, minimum, maximum, decimals: of a number. required: nothing may be
    signed while it is open; another one that is open is left out with nothing in its place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    kind: FieldKind
    choices: Annotated[list[_Word], Field(max_length=40)] = []
    unit: Annotated[str, Field(max_length=20)] = ""
    minimum: float | None = None
    maximum: float | None = None
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    default: Annotated[str, Field(max_length=500)] = ""
    required: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            message = f"field {self.name}: choices belong to a choice, and a choice has some"
            raise ValueError(message)
        if self.kind != "number" and (self.unit or self.minimum is not None or self.maximum):
            message = f"field {self.name}: a unit and a range belong to a number"
            raise ValueError(message)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            message = f"field {self.name}: the range ends before it begins"
            raise ValueError(message)
        return self


class TemplateBody(BaseModel):
    """What a template says, and for which exams it is.

    modalities, regions, sex: which exams it is offered for; empty is any. regions: names of the
    lexicon of the report's checks. required_codes: codes that a report from it has besides those
    that its exam requires anyway.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=100)]
    language: Language = Language.ZH_CN
    modalities: Annotated[
        list[Annotated[str, Field(pattern="^[A-Z]{2,16}$")]], Field(max_length=20)
    ]
    regions: Annotated[list[str], Field(max_length=20)] = []
    sex: Literal["", "M", "F"] = ""
    fields: Annotated[list[TemplateField], Field(max_length=FIELDS_MAX)] = []
    findings: _Text = ""
    impression: _Text = ""
    advice: _Text = ""
    required_codes: list[CodeName] = []


class TemplateView(BaseModel):
    """A template with the version that is offered. made_by: empty for what was shipped."""

    id: UUID
    code: str
    version: int
    body: TemplateBody
    made_by: str
    made_at: datetime
    retired: bool


class TemplateVersionView(BaseModel):
    """What a template said at one time."""

    version: int
    body: TemplateBody
    made_by: str
    made_at: datetime


class TemplateChange(BaseModel):
    """A new version. version: the one that was changed, so that nobody's change is lost."""

    version: int
    body: TemplateBody


class FillBody(BaseModel):
    """Values by the names of the fields.

    partly: leave a mark where a required value is open, instead of refusing.
    """

    values: Annotated[
        dict[_Name, Annotated[str, Field(max_length=500)]], Field(max_length=FIELDS_MAX)
    ]
    partly: bool = False


class PreviewBody(FillBody):
    """A template that nobody has saved yet, with values to try it."""

    body: TemplateBody


class FilledText(BaseModel):
    """The texts of a filled template. open: the names of fields that are marked in it."""

    findings: str
    impression: str
    advice: str
    open: list[str]


class SnippetBody(BaseModel):
    """A text behind a shortcut, typed as ;shortcut. shared: for all doctors of the consortium."""

    shortcut: Annotated[str, Field(pattern=r"^[A-Za-z0-9\u3400-\u9fff_-]{1,30}$")]
    text: Annotated[str, Field(min_length=1, max_length=4_000)]
    shared: bool = False


class SnippetView(BaseModel):
    """A snippet; mine: only this doctor has it."""

    id: UUID
    shortcut: str
    text: str
    mine: bool
