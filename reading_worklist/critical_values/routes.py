"""Critical values over HTTP, for the centre and for the sites that are told.

    GET  /api/critical-values?state=&site=&workitem=&page=&page_size=  → CriticalPage
    POST /api/workitems/{id}/critical-values   {finding, ruleset, rule_code} → CriticalDetail (201)
    GET  /api/critical-values/{id}                                     → CriticalDetail
    POST /api/critical-values/{id}/support | confirm | close           → CriticalDetail
    POST /api/critical-values/{id}/dismiss      {reason}               → CriticalDetail
    POST /api/critical-values/{id}/calls        {name, phone, answered, note} → CriticalDetail
    POST /api/critical-values/{id}/acknowledge  {read_back, name, role} → CriticalDetail
    POST /api/critical-values/{id}/action       {action, name}         → CriticalDetail
    GET  /api/critical-values/rulesets                                 → CriticalRuleset[]
    GET, PUT /api/critical-values/clocks        ClocksBody             → ClocksBody
    GET, PUT /api/critical-values/contacts/{site id}  {contacts}       → Contact[]

A site sees what it was told and nothing before. Its doctor acknowledges with his own name; where
somebody of the centre has him on the telephone, name and role are taken down. Either way the
read-back has to contain what was told (`read_back_items`). A site keeps its own telephone list but
for the centre's director, who is the centre's to name. Live event: `critical_value` with {id,
state, level, told}.

What an analysis suspects has no finder until a doctor supports it; then another confirms it.

Problems: 403 forbidden · 404 not-found · 409 wrong-state, second-person, found-by-nobody,
found-by-person · 422 invalid-request, unknown-rule, nameless, not-read-back.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from reading_worklist.changes import changed
from reading_worklist.critical_values import queries, service, telling
from reading_worklist.critical_values.queries import PAGE_SIZE_MAX, CriticalFilter
from reading_worklist.critical_values.rulesets import RULESETS
from reading_worklist.critical_values.schemas import (
    AcknowledgeBody,
    ActionBody,
    ClocksBody,
    Contact,
    ContactsBody,
    CriticalDetail,
    CriticalPage,
    CriticalRule,
    CriticalRuleset,
    RaiseBody,
    ReasonBody,
)
from reading_worklist.critical_values.states import CriticalState
from reading_worklist.phone.said import CallBody
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import CENTRE_ROLES
from storage.registry import Role

router = APIRouter(prefix="/api", tags=["critical values"])

SEERS: Final = (*CENTRE_ROLES, Role.SITE_DOCTOR, Role.SITE_TECHNICIAN)


@router.get("/critical-values")
def list_critical_values(  # noqa: PLR0917 -- one parameter for each query parameter
    scope: Asking,
    services: Parts,
    state: Annotated[list[CriticalState] | None, Query()] = None,
    site: Annotated[str | None, Query(max_length=100)] = None,
    workitem: UUID | None = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 50,
) -> CriticalPage:
    """Return a page of critical values, open ones first."""
    scope.require(*SEERS)
    wanted = CriticalFilter(states=state or (), site_code=site, workitem_id=workitem)
    with services.database.transaction() as session:
        return queries.listed(session, scope, wanted, page=page, page_size=page_size)


@router.post("/workitems/{workitem_id}/critical-values", status_code=201)
def suspect_critical_value(
    workitem_id: UUID, body: RaiseBody, scope: Asking, services: Parts
) -> CriticalDetail:
    """Say that a study shows something critical."""
    with services.database.transaction() as session:
        value_id = service.suspect(session, scope, workitem_id, body).id
    return get_critical_value(value_id, scope, services)


@router.get("/critical-values/rulesets")
def list_critical_rulesets(scope: Asking) -> list[CriticalRuleset]:
    """Return the published lists of critical values that can be cited."""
    scope.require(*SEERS)
    return [
        CriticalRuleset(
            id=one.id,
            lane=one.lane,
            title=one.title,
            title_en=one.title_en,
            source=one.source,
            source_en=one.source_en,
            rules=[
                CriticalRule(code=rule.code, name=rule.name, name_en=rule.name_en)
                for rule in one.rules
            ],
        )
        for one in RULESETS
    ]


@router.get("/critical-values/clocks")
def get_critical_clocks(scope: Asking, services: Parts) -> ClocksBody:
    """Return the escalation times that hold here."""
    scope.require(*SEERS)
    with services.database.transaction() as session:
        return queries.clock_minutes(session, scope.organisation_id)


@router.put("/critical-values/clocks")
def set_critical_clocks(body: ClocksBody, scope: Asking, services: Parts) -> ClocksBody:
    """Set the escalation times of the consortium."""
    with services.database.transaction() as session:
        telling.set_clocks(session, scope, body)
        session.flush()
        return queries.clock_minutes(session, scope.organisation_id)


@router.get("/critical-values/contacts/{site_id}")
def list_critical_contacts(site_id: UUID, scope: Asking, services: Parts) -> list[Contact]:
    """Return whom to tell at a site."""
    scope.require(*SEERS)
    with services.database.transaction() as session:
        return queries.contacts(session, scope, site_id)


@router.put("/critical-values/contacts/{site_id}")
def set_critical_contacts(
    site_id: UUID, body: ContactsBody, scope: Asking, services: Parts
) -> list[Contact]:
    """Name whom to tell at a site, in place of who was named before."""
    with services.database.transaction() as session:
        telling.set_contacts(session, scope, site_id, body)
        session.flush()
        return queries.contacts(session, scope, site_id)


@router.get("/critical-values/{value_id}")
def get_critical_value(value_id: UUID, scope: Asking, services: Parts) -> CriticalDetail:
    """Return one critical value with its notices and the telephone list."""
    scope.require(*SEERS)
    with services.database.transaction() as session:
        return queries.detail(session, scope, value_id)


@router.post("/critical-values/{value_id}/support")
def support_critical_value(value_id: UUID, scope: Asking, services: Parts) -> CriticalDetail:
    """See what an analysis suspects, as the first person."""
    return changed(get_critical_value, value_id, scope, services, service.support)


@router.post("/critical-values/{value_id}/confirm")
def confirm_critical_value(value_id: UUID, scope: Asking, services: Parts) -> CriticalDetail:
    """Confirm it as the second person, and tell the site at once."""
    return changed(get_critical_value, value_id, scope, services, service.confirm)


@router.post("/critical-values/{value_id}/dismiss")
def dismiss_critical_value(
    value_id: UUID, body: ReasonBody, scope: Asking, services: Parts
) -> CriticalDetail:
    """Find that it is none after all."""
    return changed(get_critical_value, value_id, scope, services, service.dismiss, body.reason)


@router.post("/critical-values/{value_id}/calls")
def record_critical_call(
    value_id: UUID, body: CallBody, scope: Asking, services: Parts
) -> CriticalDetail:
    """Take down that somebody was rung."""
    return changed(get_critical_value, value_id, scope, services, service.call, body)


@router.post("/critical-values/{value_id}/acknowledge")
def acknowledge_critical_value(
    value_id: UUID, body: AcknowledgeBody, scope: Asking, services: Parts
) -> CriticalDetail:
    """Acknowledge it by reading it back, as the site or for it on the telephone."""
    return changed(get_critical_value, value_id, scope, services, service.acknowledge, body)


@router.post("/critical-values/{value_id}/action")
def act_on_critical_value(
    value_id: UUID, body: ActionBody, scope: Asking, services: Parts
) -> CriticalDetail:
    """Take down what the site has done about it."""
    return changed(
        get_critical_value, value_id, scope, services, service.act, body.action, body.name
    )


@router.post("/critical-values/{value_id}/close")
def close_critical_value(value_id: UUID, scope: Asking, services: Parts) -> CriticalDetail:
    """Close the loop, as the centre."""
    return changed(get_critical_value, value_id, scope, services, service.close)
