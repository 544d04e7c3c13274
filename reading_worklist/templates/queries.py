"""What is asked about templates and snippets, always within the asker's consortium."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import not_found
from reading_worklist.templates.schemas import (
    SnippetView,
    TemplateBody,
    TemplateVersionView,
    TemplateView,
)
from reading_worklist.templates.tables import (
    ReportSnippet,
    ReportTemplate,
    ReportTemplateVersion,
)
from storage.registry import Person, consortium_of


def owner(session: Session, scope: Scope) -> UUID:
    """Return the consortium whose templates and snippets the asker uses."""
    return consortium_of(session, scope.organisation_id).id


def shown(session: Session, scope: Scope, *, retired: bool = False) -> list[TemplateView]:
    """Return the templates of the asker's consortium by title; `retired` ones as well if asked."""
    query = _rows().where(ReportTemplate.organisation_id == owner(session, scope))
    if not retired:
        query = query.where(ReportTemplate.retired_at.is_(None))
    views = [_view(*row) for row in session.execute(query)]
    return sorted(views, key=lambda one: (one.retired, one.body.modalities, one.body.title))


def one_shown(session: Session, scope: Scope, template_id: UUID) -> TemplateView:
    """Return a template of the asker's consortium.

    Raises:
        Problem: 404.
    """
    row = session.execute(
        _rows().where(
            ReportTemplate.id == template_id,
            ReportTemplate.organisation_id == owner(session, scope),
        )
    ).one_or_none()
    if row is None:
        raise not_found("The template")
    return _view(*row)


def visible(session: Session, scope: Scope, template_id: UUID) -> None:
    """Pass when a template is the asker's consortium's.

    Raises:
        Problem: 404.
    """
    one_shown(session, scope, template_id)


def versions(session: Session, scope: Scope, template_id: UUID) -> list[TemplateVersionView]:
    """Return what a template has said, the newest first.

    Raises:
        Problem: 404.
    """
    visible(session, scope, template_id)
    rows = session.execute(
        select(ReportTemplateVersion, Person)
        .join(Person, Person.id == ReportTemplateVersion.made_by, isouter=True)
        .where(ReportTemplateVersion.template_id == template_id)
        .order_by(ReportTemplateVersion.version.desc())
    )
    return [
        TemplateVersionView(
            version=one.version,
            body=TemplateBody.model_validate(one.body),
            made_by=by.display_name if by else "",
            made_at=one.made_at,
        )
        for one, by in rows
    ]


def fitting(
    views: Sequence[TemplateView], modalities: frozenset[str], regions: frozenset[str], sex: str
) -> list[TemplateView]:
    """Return the templates for an exam, those that name most of what it is first."""
    scored: list[tuple[int, int, TemplateView]] = []
    for position, one in enumerate(views):
        body = one.body
        if body.modalities and not modalities & set(body.modalities):
            continue
        if body.regions and regions and not regions & set(body.regions):
            continue
        if body.sex and sex in {"M", "F"} and body.sex != sex:
            continue
        named = bool(body.regions and regions & set(body.regions))
        score = 4 * named + 2 * bool(body.modalities) + bool(body.sex and body.sex == sex)
        scored.append((-score, position, one))
    return [one for _, _, one in sorted(scored, key=lambda entry: entry[:2])]


def required_codes(session: Session, template_id: UUID) -> frozenset[str]:
    """Return the codes that a template requires now; none when it is not there."""
    body = session.scalar(
        select(ReportTemplateVersion.body)
        .join(ReportTemplate, ReportTemplate.id == ReportTemplateVersion.template_id)
        .where(
            ReportTemplate.id == template_id,
            ReportTemplateVersion.version == ReportTemplate.version,
        )
    )
    return frozenset(TemplateBody.model_validate(body).required_codes) if body else frozenset()


def snippets(session: Session, scope: Scope) -> list[SnippetView]:
    """Return the doctor's own snippets and the shared ones by shortcut; one's own comes first."""
    rows = session.scalars(
        select(ReportSnippet)
        .where(
            ReportSnippet.organisation_id == owner(session, scope),
            ReportSnippet.person_id.is_(None) | (ReportSnippet.person_id == scope.person_id),
        )
        .order_by(ReportSnippet.shortcut, ReportSnippet.person_id.is_(None))
    )
    return [
        SnippetView(id=one.id, shortcut=one.shortcut, text=one.text, mine=one.person_id is not None)
        for one in rows
    ]


def _rows() -> Select[*tuple[ReportTemplate, ReportTemplateVersion, Person]]:
    """Return the query for templates with the version that is offered and who made it, if any."""
    return (
        select(ReportTemplate, ReportTemplateVersion, Person)
        .join(
            ReportTemplateVersion,
            (ReportTemplateVersion.template_id == ReportTemplate.id)
            & (ReportTemplateVersion.version == ReportTemplate.version),
        )
        .join(Person, Person.id == ReportTemplateVersion.made_by, isouter=True)
    )


def _view(one: ReportTemplate, said: ReportTemplateVersion, by: Person | None) -> TemplateView:
    return TemplateView(
        id=one.id,
        code=one.code,
        version=one.version,
        body=TemplateBody.model_validate(said.body),
        made_by=by.display_name if by else "",
        made_at=said.made_at,
        retired=one.retired_at is not None,
    )
