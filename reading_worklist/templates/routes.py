"""Templates and snippets over HTTP, for the doctors of the centre and the administrators.

    GET    /api/templates?retired=          → TemplateView[]
    POST   /api/templates                   TemplateBody → TemplateView
    PUT    /api/templates/{id}              {version, body} → TemplateView
    POST   /api/templates/{id}/retire       → TemplateView
    POST   /api/templates/{id}/restore      → TemplateView
    GET    /api/templates/{id}/versions     → TemplateVersionView[]
    POST   /api/templates/{id}/fill         {values, partly} → FilledText
    POST   /api/templates/preview           {body, values, partly} → FilledText
    GET    /api/template-regions            → string[]
    GET    /api/snippets                    → SnippetView[]
    POST   /api/snippets                    SnippetBody → SnippetView[]
    PUT    /api/snippets/{id}               SnippetBody → SnippetView[]
    DELETE /api/snippets/{id}               → SnippetView[]

Problems: 403 forbidden · 404 not-found · 409 stale-template, shortcut-taken · 422 template-flaw,
template-value.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter

from reading_worklist.reports.checks.lexicon import lexicon
from reading_worklist.services import Asking, Parts
from reading_worklist.templates import queries, service
from reading_worklist.templates.filling import fill, refuse_flaws
from reading_worklist.templates.schemas import (
    FillBody,
    FilledText,
    PreviewBody,
    SnippetBody,
    SnippetView,
    TemplateBody,
    TemplateChange,
    TemplateVersionView,
    TemplateView,
)
from reading_worklist.workitems.routes import centre

router = APIRouter(prefix="/api", tags=["templates"])


@router.get("/templates")
def list_templates(scope: Asking, services: Parts, *, retired: bool = False) -> list[TemplateView]:
    """Return the consortium's templates; those that are offered no more as well if asked."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.shown(session, scope, retired=retired)


@router.post("/templates", status_code=HTTPStatus.CREATED)
def make_template(body: TemplateBody, scope: Asking, services: Parts) -> TemplateView:
    """Make a template."""
    with services.database.transaction() as session:
        template_id = service.make(session, scope, body)
        return queries.one_shown(session, scope, template_id)


@router.post("/templates/preview")
def preview_template(body: PreviewBody, scope: Asking) -> FilledText:
    """Fill a template that nobody has saved yet; changes nothing."""
    centre(scope)
    refuse_flaws(body.body)
    return fill(body.body, body.values, partly=body.partly)


@router.get("/template-regions")
def list_template_regions(scope: Asking) -> list[str]:
    """Return the names of the regions of the body that templates are for."""
    centre(scope)
    return sorted(lexicon().region_parts)


@router.put("/templates/{template_id}")
def change_template(
    template_id: UUID, body: TemplateChange, scope: Asking, services: Parts
) -> TemplateView:
    """Make a new version of a template."""
    with services.database.transaction() as session:
        service.change(session, scope, template_id, body)
        return queries.one_shown(session, scope, template_id)


@router.post("/templates/{template_id}/retire")
def retire_template(template_id: UUID, scope: Asking, services: Parts) -> TemplateView:
    """Offer a template no more."""
    with services.database.transaction() as session:
        service.retire(session, scope, template_id, retired=True)
        session.flush()
        return queries.one_shown(session, scope, template_id)


@router.post("/templates/{template_id}/restore")
def restore_template(template_id: UUID, scope: Asking, services: Parts) -> TemplateView:
    """Offer a template again."""
    with services.database.transaction() as session:
        service.retire(session, scope, template_id, retired=False)
        session.flush()
        return queries.one_shown(session, scope, template_id)


@router.get("/templates/{template_id}/versions")
def list_template_versions(
    template_id: UUID, scope: Asking, services: Parts
) -> list[TemplateVersionView]:
    """Return what a template has said, the newest first."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.versions(session, scope, template_id)


@router.post("/templates/{template_id}/fill")
def fill_template(template_id: UUID, body: FillBody, scope: Asking, services: Parts) -> FilledText:
    """Return the texts of a template with the values in their places."""
    centre(scope)
    with services.database.transaction() as session:
        template = queries.one_shown(session, scope, template_id)
    return fill(template.body, body.values, partly=body.partly)


@router.get("/snippets")
def list_snippets(scope: Asking, services: Parts) -> list[SnippetView]:
    """Return one's own snippets and the shared ones."""
    centre(scope)
    with services.database.transaction() as session:
        return queries.snippets(session, scope)


@router.post("/snippets", status_code=HTTPStatus.CREATED)
def make_snippet(body: SnippetBody, scope: Asking, services: Parts) -> list[SnippetView]:
    """Keep a snippet."""
    with services.database.transaction() as session:
        service.save_snippet(session, scope, body)
        return queries.snippets(session, scope)


@router.put("/snippets/{snippet_id}")
def change_snippet(
    snippet_id: UUID, body: SnippetBody, scope: Asking, services: Parts
) -> list[SnippetView]:
    """Change a snippet."""
    with services.database.transaction() as session:
        service.save_snippet(session, scope, body, snippet_id)
        return queries.snippets(session, scope)


@router.delete("/snippets/{snippet_id}")
def drop_snippet(snippet_id: UUID, scope: Asking, services: Parts) -> list[SnippetView]:
    """Forget a snippet."""
    with services.database.transaction() as session:
        service.drop_snippet(session, scope, snippet_id)
        session.flush()
        return queries.snippets(session, scope)
