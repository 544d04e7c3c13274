"""Site tests over HTTP, for administrators; the gateway's workers make them.

    GET  /api/site-tests                     → SiteTestSummary[]
    GET  /api/site-tests/{site_code}         → SiteTestView | null
    POST /api/site-tests/{site_code}         → SiteTestView (202)

Problems: 403 forbidden · 404 not-found.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from fastapi import Path as PathParameter
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from reading_worklist.access.sites import visible_site, visible_sites
from reading_worklist.services import Asking, Parts
from storage.registry import Organisation, Role
from storage.site_tests import service
from storage.site_tests.findings import Check, Finding, Outcome
from storage.site_tests.tables import SiteTest
from storage.site_tests.words import Language, told

router = APIRouter(prefix="/api", tags=["operations"])

TESTERS: Final = (Role.CONSORTIUM_ADMIN, Role.SYSTEM_ADMIN)

_SiteCode = Annotated[str, PathParameter(max_length=64)]


class SaidOf(BaseModel):
    """A finding in one language: what was looked at, expected, found, and what to do."""

    what: str
    expected: str
    found: str
    remedy: str


class FindingView(BaseModel):
    """What one check found. subject: of which device, destination or token."""

    check: Check
    outcome: Outcome
    subject: str
    zh: SaidOf
    en: SaidOf


class SiteTestView(BaseModel):
    """One test of a site; its findings so far, while `ended_at` is None."""

    id: UUID
    site_code: str
    asked_at: datetime
    ended_at: datetime | None
    findings: list[FindingView]


class SiteTestSummary(BaseModel):
    """The last test of a visible site; without times: it was never tested."""

    site_code: str
    site_name: str
    site_name_en: str
    asked_at: datetime | None
    ended_at: datetime | None
    counts: dict[Outcome, int]


@router.get("/site-tests")
def list_site_tests(scope: Asking, services: Parts) -> list[SiteTestSummary]:
    """Return the visible sites, each with its last test."""
    scope.require(*TESTERS)
    with services.database.transaction() as session:
        sites = visible_sites(session, scope)
        tests = {
            one.site_id: one
            for one in session.scalars(
                select(SiteTest)
                .where(scope.sees(SiteTest.site_id))
                .ext(distinct_on(SiteTest.site_id))
                .order_by(SiteTest.site_id, SiteTest.asked_at.desc())
            )
        }
    return [_summary(one, tests.get(one.id)) for one in sites]


@router.get("/site-tests/{site_code}")
def get_site_test(site_code: _SiteCode, scope: Asking, services: Parts) -> SiteTestView | None:
    """Return the last test of a site, as far as it has come; null when it was never tested."""
    scope.require(*TESTERS)
    with services.database.transaction() as session:
        site = visible_site(session, scope, site_code)
        test = service.latest(session, site.id)
        return None if test is None else _view(site, test)


@router.post("/site-tests/{site_code}", status_code=202)
def start_site_test(site_code: _SiteCode, scope: Asking, services: Parts) -> SiteTestView:
    """Have a site tested; one that is under way is returned as it is."""
    scope.require(*TESTERS)
    with services.database.transaction() as session:
        site = visible_site(session, scope, site_code)
        return _view(site, service.ask(session, scope.actor, site.id))


def _summary(site: Organisation, test: SiteTest | None) -> SiteTestSummary:
    found = [] if test is None else [Finding.from_json(one) for one in test.findings]
    return SiteTestSummary(
        site_code=site.code,
        site_name=site.name,
        site_name_en=site.name_en,
        asked_at=None if test is None else test.asked_at,
        ended_at=None if test is None else test.ended_at,
        counts={outcome: sum(one.outcome is outcome for one in found) for outcome in Outcome},
    )


def _view(site: Organisation, test: SiteTest) -> SiteTestView:
    return SiteTestView(
        id=test.id,
        site_code=site.code,
        asked_at=test.asked_at,
        ended_at=test.ended_at,
        findings=[_finding(Finding.from_json(one)) for one in test.findings],
    )


def _finding(one: Finding) -> FindingView:
    return FindingView(
        check=one.check,
        outcome=one.outcome,
        subject=one.subject,
        zh=_said(one, Language.CHINESE),
        en=_said(one, Language.ENGLISH),
    )


def _said(one: Finding, language: Language) -> SaidOf:
    words = told(one, language)
    return SaidOf(what=words.what, expected=words.expected, found=words.found, remedy=words.remedy)
