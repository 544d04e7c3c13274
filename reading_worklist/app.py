"""The web application: every route of the room on one FastAPI instance."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from typing_extensions import override

from reading_worklist import health, live, problems, viewer, web_ui
from reading_worklist.access import account_routes
from reading_worklist.access import routes as access_routes
from reading_worklist.access.client_certificates import ClientCertificates
from reading_worklist.access.outside import routes as outside_routes
from reading_worklist.access.proxies import TrustedProxies
from reading_worklist.access.walled import Walled
from reading_worklist.agreements import routes as agreement_routes
from reading_worklist.auditing import routes as audit_routes
from reading_worklist.auditing.readings import ReadingAudit
from reading_worklist.branches import routes as branch_routes
from reading_worklist.consultations import routes as consultation_routes
from reading_worklist.critical_values import routes as critical_value_routes
from reading_worklist.deliveries import destination_routes
from reading_worklist.deliveries import routes as delivery_routes
from reading_worklist.dicomweb import routes as dicomweb_routes
from reading_worklist.dicomweb.direct import DirectRetrieval
from reading_worklist.dicomweb.express import ExpressRetrieval
from reading_worklist.dicomweb.headers_only import HeadersOnly
from reading_worklist.dicomweb.instances import FrameLayouts
from reading_worklist.dicomweb.series_views import SeriesViews
from reading_worklist.ecg import opening as opening_routes
from reading_worklist.ecg import routes as ecg_routes
from reading_worklist.ecg import view_routes as ecg_view_routes
from reading_worklist.ecg.ambulatory import routes as ambulatory_routes
from reading_worklist.ecg.analysis import routes as ecg_analysis_routes
from reading_worklist.ecg.emergency import routes as emergency_routes
from reading_worklist.ecg.statements import routes as statement_routes
from reading_worklist.ecg_files import routes as ecg_file_routes
from reading_worklist.events import EventHub
from reading_worklist.exam_notes import routes as exam_note_routes
from reading_worklist.fhir import routes as fhir_routes
from reading_worklist.identity import routes as identity_routes
from reading_worklist.keeping import routes as keeping_routes
from reading_worklist.key_images import routes as key_image_routes
from reading_worklist.ledger import routes as ledger_routes
from reading_worklist.long_bodies import LongBodies
from reading_worklist.machine_reports import routes as machine_report_routes
from reading_worklist.machine_tokens import routes as machine_token_routes
from reading_worklist.measurements import routes as measurement_routes
from reading_worklist.operations import routes as operations_routes
from reading_worklist.orders import procedure_list, request_routes
from reading_worklist.orders import routes as order_routes
from reading_worklist.people import routes as people_routes
from reading_worklist.phone import routes as phone_routes
from reading_worklist.portal import routes as portal_routes
from reading_worklist.preliminary import routes as preliminary_routes
from reading_worklist.priors import review_routes
from reading_worklist.priors import routes as prior_routes
from reading_worklist.priors.grants import RecentGrants
from reading_worklist.quarantine import routes as quarantine_routes
from reading_worklist.recognition_marks import routes as recognition_mark_routes
from reading_worklist.reports import routes as report_routes
from reading_worklist.reports import verification_routes, version_routes, writing_routes
from reading_worklist.request_metering import RequestMetering
from reading_worklist.retakes import routes as retake_routes
from reading_worklist.routing import routes as routing_routes
from reading_worklist.safe_headers import SafeHeaders
from reading_worklist.services import COOKIE, Services, WebConfig
from reading_worklist.shares import routes as share_routes
from reading_worklist.signing import status_routes
from reading_worklist.signing_approvals import routes as signing_approval_routes
from reading_worklist.single_signature import routes as single_signature_routes
from reading_worklist.site_tests import routes as site_test_routes
from reading_worklist.standby_reads import AgainAtPrimary
from reading_worklist.subject_export import routes as patient_copy_routes
from reading_worklist.templates import routes as template_routes
from reading_worklist.typesetting.typesetter import open_typesetter
from reading_worklist.ups import routes as ups_routes
from reading_worklist.volume import routes as volume_routes
from reading_worklist.working_time import routes as working_time_routes
from reading_worklist.workitems import routes as workitem_routes
from reading_worklist.worklist import routes as worklist_routes
from reading_worklist.worklist import sharing
from storage.database import Database
from storage.objects import ObjectStore
from storage.standby import StandbyReads

BODY_BYTES: Final = 2 << 20
"""Of a request's body, unless its route says more: what people write, and lists of what they chose.

Without a limit the longest body that somebody sends is held in memory before it is looked at.
"""


def create_app(
    config: WebConfig,
    database: Database,
    objects: ObjectStore,
    *,
    standby: StandbyReads | None = None,
) -> FastAPI:
    """Return the application; it listens for events from its start to its end.

    standby: where it reads what may be read there.
    """
    hub = EventHub(database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        hub.start()
        yield
        hub.stop()

    app = _Application(
        config,
        title="Regional Diagnostic Centre",
        version="0.1.0",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=_plain_name,
        max_body_size=BODY_BYTES,
    )
    services = Services(
        config=config,
        database=database,
        objects=objects,
        events=hub,
        typesetter=open_typesetter(config.fonts),
        standby=standby,
    )
    app.state.services = services
    app.state.frame_layouts = FrameLayouts()
    app.state.series_views = SeriesViews()
    app.state.recent_grants = RecentGrants()
    sharing.install(app)
    app.add_middleware(DirectRetrieval, services=services)
    app.add_middleware(
        ExpressRetrieval,
        objects=objects,
        scopes=services.recent_scopes,
        views=app.state.series_views,
        cookie=COOKIE,
    )
    app.add_middleware(HeadersOnly)
    if standby is not None:
        app.add_middleware(AgainAtPrimary)
    app.add_middleware(Walled)
    app.add_middleware(ReadingAudit, services=services)
    problems.install(app)
    app.router.routes.extend(_routes())
    viewer.install(app, config.ohif, config.packed_files)
    web_ui.install(app, config.web_ui)
    return app


class _Application(FastAPI):
    """With what goes around everything, Starlette's own answers to failures and long bodies too.

    Those it gives outside of every middleware that it lets an application add.
    """

    def __init__(self, around: WebConfig, **settings: Any) -> None:  # noqa: ANN401 -- FastAPI's own
        super().__init__(**settings)
        self._around = around

    @override
    def build_middleware_stack(self) -> ASGIApp:
        config = self._around
        served = TrustedProxies(LongBodies(super().build_middleware_stack()), trust=config.proxies)
        known = ClientCertificates(served, trust=config.proxies, revocations=config.revocations)
        return RequestMetering(SafeHeaders(known, tls=config.secure_cookie))


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every route, in the order in which they are tried.

    FastAPI works out what a route takes when the first request comes near it: 0.2 s of CPU for all.
    Applications of one process share it; tests make hundreds.
    """
    router = APIRouter(generate_unique_id_function=_plain_name)
    # First: a request is compared with the routes one by one, and a viewer sends hundreds.
    # Before the DICOMweb routes, of which one describes any path.
    router.include_router(ups_routes.router)
    router.include_router(dicomweb_routes.router)
    for module in (
        access_routes,
        account_routes,
        signing_approval_routes,
        outside_routes,
        routing_routes,
        worklist_routes,
        workitem_routes,
        opening_routes,
        volume_routes,
        procedure_list,
        order_routes,
        identity_routes,
        report_routes,
        key_image_routes,
        measurement_routes,
        version_routes,
        writing_routes,
        template_routes,
        critical_value_routes,
        consultation_routes,
        retake_routes,
        phone_routes,
        preliminary_routes,
        verification_routes,
        status_routes,
        ecg_routes,
        ecg_view_routes,
        ecg_analysis_routes,
        statement_routes,
        ambulatory_routes,
        emergency_routes,
        ecg_file_routes,
        portal_routes,
        ledger_routes,
        delivery_routes,
        destination_routes,
        site_test_routes,
        machine_token_routes,
        operations_routes,
        keeping_routes,
        patient_copy_routes,
        quarantine_routes,
        working_time_routes,
        prior_routes,
        review_routes,
        share_routes,
        request_routes,
        exam_note_routes,
        agreement_routes,
        audit_routes,
        people_routes,
        single_signature_routes,
        recognition_mark_routes,
        branch_routes,
        fhir_routes,
        machine_report_routes,
        live,
        health,
    ):
        router.include_router(module.router)
    return tuple(router.routes)


def _plain_name(route: APIRoute) -> str:
    """Return the function's name alone: people read the TypeScript types made from it."""
    return route.name
