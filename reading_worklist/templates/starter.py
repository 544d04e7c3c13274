"""The set of templates that is shipped: one file each in `starter/`, taken over once."""

import tomllib
from collections.abc import Iterator
from importlib import resources
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.templates.filling import refuse_flaws
from reading_worklist.templates.schemas import SnippetBody, TemplateBody
from reading_worklist.templates.tables import (
    ReportSnippet,
    ReportTemplate,
    ReportTemplateVersion,
)
from storage import audit


def shipped() -> Iterator[tuple[str, TemplateBody]]:
    """Yield the code and the body of each shipped template, by code."""
    files = resources.files("reading_worklist.templates").joinpath("starter").iterdir()
    for file in sorted(files, key=lambda one: one.name):
        if file.name.endswith(".toml") and file.name != _SNIPPETS:
            body = TemplateBody.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
            refuse_flaws(body)
            yield file.name.removesuffix(".toml"), body


def shipped_snippets() -> list[SnippetBody]:
    """Return the shared snippets that are shipped."""
    file = resources.files("reading_worklist.templates").joinpath("starter", _SNIPPETS)
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    return [SnippetBody.model_validate(one) for one in told["snippet"]]


def take_over(session: Session, organisation_id: UUID) -> int:
    """Give a consortium the shipped templates and snippets that it has never had.

    What it changed or retired stays so. Returns how many templates are new.
    """
    known = set(
        session.scalars(
            select(ReportTemplate.code).where(ReportTemplate.organisation_id == organisation_id)
        )
    )
    made = 0
    for code, body in shipped():
        if code in known:
            continue
        template = ReportTemplate(id=uuid4(), organisation_id=organisation_id, code=code, version=1)
        session.add(template)
        session.flush()
        session.add(
            ReportTemplateVersion(
                template_id=template.id, version=1, body=body.model_dump(mode="json")
            )
        )
        made += 1
    if not known:
        for one in shipped_snippets():
            session.add(
                ReportSnippet(organisation_id=organisation_id, shortcut=one.shortcut, text=one.text)
            )
    if made:
        audit.record(
            session,
            audit.system_actor("templates"),
            "template:take_over",
            subject_kind="organisation",
            subject_id=organisation_id,
            detail={"templates": made},
        )
    return made


_SNIPPETS = "snippets.toml"
