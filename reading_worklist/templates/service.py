"""Making and changing templates and snippets; each in its caller's transaction, with audit."""

from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.problems import conflict, forbidden, not_found
from reading_worklist.templates import queries
from reading_worklist.templates.filling import refuse_flaws
from reading_worklist.templates.schemas import SnippetBody, TemplateBody, TemplateChange
from reading_worklist.templates.tables import (
    ReportSnippet,
    ReportTemplate,
    ReportTemplateVersion,
)
from storage import audit
from storage.clock import utc_now
from storage.registry import Role

EDITORS = (Role.REVIEWER, Role.CONSORTIUM_ADMIN)


def make(session: Session, scope: Scope, body: TemplateBody) -> UUID:
    """Make a template that is offered from now on; return its id.

    Raises:
        Problem: 403 for anybody but reviewers and consortium administrators; 422 for a flaw.
    """
    scope.require(*EDITORS)
    refuse_flaws(body)
    template_id = uuid4()
    template = ReportTemplate(
        id=template_id,
        organisation_id=queries.owner(session, scope),
        code=str(template_id),
        version=1,
    )
    session.add(template)
    session.flush()
    _add_version(session, scope, template, body, "template:make")
    return template_id


def change(session: Session, scope: Scope, template_id: UUID, changed: TemplateChange) -> None:
    """Let a template say something else from now on.

    Raises:
        Problem: 403 as for `make`, 404, 409 when it was changed since, 422 for a flaw.
    """
    template = _locked(session, scope, template_id)
    if template.version != changed.version:
        raise conflict(
            "stale-template",
            "The template was changed in the meantime",
            expected=f"version {template.version}",
            found=f"version {changed.version}",
            remedy="Look at the new version and change it again.",
        )
    refuse_flaws(changed.body)
    template.version += 1
    _add_version(session, scope, template, changed.body, "template:change")


def retire(session: Session, scope: Scope, template_id: UUID, *, retired: bool) -> None:
    """Offer a template no more, or again; reports that began with it stay as they are.

    Raises:
        Problem: 403 as for `make`, 404.
    """
    template = _locked(session, scope, template_id)
    template.retired_at = utc_now() if retired else None
    _record(session, scope, "template:retire" if retired else "template:restore", template)


def save_snippet(
    session: Session, scope: Scope, body: SnippetBody, snippet_id: UUID | None = None
) -> None:
    """Keep a snippet, or change one.

    Raises:
        Problem: 403 for shared ones by others than reviewers and administrators, 404 for another
            doctor's, 409 when the shortcut is taken.
    """
    scope.require(Role.WRITER, *EDITORS)
    if body.shared:
        scope.require(*EDITORS)
    owner = queries.owner(session, scope)
    person_id = None if body.shared else scope.person_id
    taken = session.scalar(
        select(ReportSnippet.id).where(
            ReportSnippet.organisation_id == owner,
            ReportSnippet.shortcut == body.shortcut,
            ReportSnippet.person_id.is_(None)
            if person_id is None
            else ReportSnippet.person_id == person_id,
        )
    )
    if taken is not None and taken != snippet_id:
        raise conflict(
            "shortcut-taken",
            "The shortcut stands for another text already",
            found=body.shortcut,
            remedy="Choose another one, or change that text.",
        )
    if snippet_id is None:
        snippet = ReportSnippet(id=uuid4(), organisation_id=owner)
        session.add(snippet)
    else:
        snippet = _own_snippet(session, scope, snippet_id)
    snippet.person_id = person_id
    snippet.shortcut = body.shortcut
    snippet.text = body.text
    snippet.changed_at = utc_now()
    session.flush()
    _record_snippet(session, scope, "snippet:save", snippet)


def drop_snippet(session: Session, scope: Scope, snippet_id: UUID) -> None:
    """Forget a snippet.

    Raises:
        Problem: 403 and 404 as for `save_snippet`.
    """
    scope.require(Role.WRITER, *EDITORS)
    snippet = _own_snippet(session, scope, snippet_id)
    _record_snippet(session, scope, "snippet:drop", snippet)
    session.delete(snippet)


def _own_snippet(session: Session, scope: Scope, snippet_id: UUID) -> ReportSnippet:
    snippet = session.scalar(
        select(ReportSnippet)
        .where(
            ReportSnippet.id == snippet_id,
            ReportSnippet.organisation_id == queries.owner(session, scope),
            ReportSnippet.person_id.is_(None) | (ReportSnippet.person_id == scope.person_id),
        )
        .with_for_update()
    )
    if snippet is None:
        raise not_found("The snippet")
    if snippet.person_id is None and not scope.roles & set(EDITORS):
        raise forbidden(
            "Shared snippets are changed by reviewers and administrators",
            remedy="Make one of your own with the same shortcut; it comes first.",
        )
    return snippet


def _locked(session: Session, scope: Scope, template_id: UUID) -> ReportTemplate:
    scope.require(*EDITORS)
    template = session.scalar(
        select(ReportTemplate)
        .where(
            ReportTemplate.id == template_id,
            ReportTemplate.organisation_id == queries.owner(session, scope),
        )
        .with_for_update()
    )
    if template is None:
        raise not_found("The template")
    return template


def _add_version(
    session: Session, scope: Scope, template: ReportTemplate, body: TemplateBody, action: str
) -> None:
    session.add(
        ReportTemplateVersion(
            template_id=template.id,
            version=template.version,
            body=body.model_dump(mode="json"),
            made_by=scope.person_id,
        )
    )
    session.flush()
    _record(session, scope, action, template)


def _record(session: Session, scope: Scope, action: str, template: ReportTemplate) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="report_template",
        subject_id=template.id,
        detail={"version": template.version},
    )


def _record_snippet(session: Session, scope: Scope, action: str, snippet: ReportSnippet) -> None:
    audit.record(
        session,
        scope.actor,
        action,
        subject_kind="report_snippet",
        subject_id=snippet.id,
        detail={"shortcut": snippet.shortcut, "shared": snippet.person_id is None},
    )
