"""Who may ask what over HTTP, written down once more beside the routes themselves.

`test_access` walks every route of the application against this table. A route that no row names
fails the test: add a row, or widen a pattern, and say there who it is for.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from storage.registry import Role

ALL: Final = frozenset(Role)
SITE: Final = frozenset({Role.SITE_TECHNICIAN, Role.SITE_DOCTOR})
READS: Final = frozenset({Role.WRITER, Role.REVIEWER})
REVIEWS: Final = frozenset({Role.REVIEWER})
DESK: Final = frozenset({Role.DISPATCHER})
QUALITY: Final = frozenset({Role.QUALITY_CONTROLLER})
ADMIN: Final = frozenset({Role.CONSORTIUM_ADMIN})
AUDIT: Final = frozenset({Role.AUDITOR})
EXPERT: Final = frozenset({Role.EXPERT})
DECIDERS: Final = ADMIN | {Role.SYSTEM_ADMIN}
KEEPERS: Final = DECIDERS | DESK
CENTRE: Final = READS | DESK | QUALITY | ADMIN
TALKS: Final = READS | DESK | QUALITY
NOBODY: Final[frozenset[Role]] = frozenset()
DOCTORS: Final = READS | {Role.SITE_DOCTOR}


@dataclass(frozen=True, slots=True)
class Row:
    """Which roles may ask the routes that a pattern names.

    methods: empty for any. path: a regular expression for the whole of a route's path as the
        application writes it, such as `/api/orders/{order_id}`.
    public: nobody needs to be signed in.
    streams: the answer of somebody who may ask has no end.
    machines: no person is let in, only a machine with a token of its site, or somebody outside who
        came by a link; their strangers have tests of their own beside the routes.
    """

    methods: str
    path: str
    roles: frozenset[Role] = ALL
    public: bool = False
    streams: bool = False
    machines: bool = False

    def names(self, method: str, path: str) -> bool:
        """Tell whether a route is of this row."""
        return (not self.methods or method in self.methods.split()) and bool(
            re.fullmatch(self.path, path)
        )


_W: Final = r"/api/workitems/\{workitem_id\}"
_ROOT: Final = r"/dicom-web(/sites/\{site_code\}|/readings/\{reading_id\})?"
_SHARE_ROOT: Final = r"/dicom-web/shares/\{share_id\}"

# The first row that names a route counts.
MATRIX: Final = (
    Row("", r"/api/openapi\.json|/healthz|/readyz|/metrics|/|/\{path:path\}", public=True),
    Row("GET", r"/viewer/app-config\.js"),
    Row("GET", "/viewer.*", public=True),
    Row("POST", "/api/session", public=True),
    # Before somebody is signed in; a provider sends the browser back there.
    Row("GET", r"/api/session/(providers|outside/\{provider\}(/callback|/leave)?)", public=True),
    # A provider's server; the signature of its token says whose it is.
    Row("POST", r"/api/session/outside/\{provider\}/logout", public=True),
    Row("GET", "/api/people", DECIDERS),
    Row("GET", r"/api/people/\{person_id\}", DECIDERS),
    # A system administrator helps people in, and changes nobody.
    Row("POST", r"/api/people/\{person_id\}/lift-wait", DECIDERS),
    Row("DELETE", r"/api/people/\{person_id\}/sessions(/\{session_id\})?", DECIDERS),
    Row("", "/api/people.*", ADMIN),
    Row("", "/api/account.*"),
    Row("GET", "/api/audit.*", AUDIT),
    Row("GET", r"/api/verify/\{code\}", public=True),
    Row("POST", "/api/verify", public=True),
    Row("GET POST", r"/pki/(authority\.crt|authority\.crl|ocsp(/\{encoded:path\})?)", public=True),
    Row("GET", "/fhir/metadata", public=True),
    Row("", "/(fhir|api/machine)/.*", NOBODY, machines=True),
    Row("", "/api/session.*"),
    Row("GET", "/api/events", streams=True),
    # Who came by a link has a cookie of his own; people of ours need none.
    Row("POST", "/api/shared", public=True),
    Row("GET", rf"/api/shared.*|{_SHARE_ROOT}.*", NOBODY, machines=True),
    Row("", rf"{_W}/shares|/api/shares/.*", DOCTORS),
    # DICOMweb and UPS-RS
    Row("", f"{_ROOT}/workitems.*", CENTRE),
    Row("POST", f"{_ROOT}/studies.*", READS | DESK | ADMIN | {Role.SITE_TECHNICIAN}),
    Row("", f"{_ROOT}.*", CENTRE | EXPERT | SITE),
    # Setting up the centre's work
    Row("GET", "/api/(clocks|reading-groups|readers|roster|routing/rulesets|working-time)", CENTRE),
    Row("", "/api/roster.*", DESK | ADMIN),
    Row("", "/api/(clocks|reading-groups|routing|working-time)/.*", ADMIN),
    Row("", "/api/(agreements|single-signatures|recognition-marks|branches).*", ADMIN),
    Row("POST", "/api/patient-links.*", DESK),
    # The worklist
    Row("GET", "/api/worklist/board", CENTRE | {Role.REGULATOR}),
    Row("", rf"/api/workitems/assign|{_W}/assign", DESK),
    Row("POST", "/api/workitems/next", READS),
    Row("", "/api/worklist/.*", CENTRE),
    Row("GET", "/api/sites", CENTRE | {Role.SYSTEM_ADMIN}),
    Row("GET", "/api/workitems", CENTRE),
    # A reading
    Row("GET", rf"{_W}/ecg/(quality|thumbnail\.svg)", CENTRE | SITE),
    Row("GET", rf"{_W}/ecg/emergency|/api/ecg/emergency/indicators/exams", CENTRE | SITE),
    Row("GET", "/api/ecg/emergency/waiting", READS | DESK),
    Row("GET", "/api/ecg/emergency/answered", SITE),
    Row("GET", "/api/ecg/emergency/indicators", CENTRE | SITE | {Role.REGULATOR}),
    Row("GET", "/api/ecg/critical-list", CENTRE),
    Row("PUT", "/api/ecg/critical-list", ADMIN),
    Row("GET", rf"{_W}/(quality)|/api/series/.*", CENTRE | SITE),
    Row("POST", rf"{_W}/priors/emergency", READS),
    Row("", rf"{_W}/priors.*", READS | QUALITY | EXPERT),
    Row("", "/api/emergency-accesses.*", AUDIT),
    Row("GET", rf"{_W}/ecg-values|/api/ecg-statements", CENTRE),
    Row("GET", rf"{_W}/(request|ecg.*)", CENTRE | EXPERT),
    # A version that does not stand is for auditors alone.
    Row("GET", r"/api/reports/\{version_id\}/pdf", CENTRE | AUDIT),
    Row("GET", rf"{_W}(/.*)?|/api/reports/.*", CENTRE),
    Row("POST", rf"{_W}/(revocation/confirm|archive)", ADMIN),
    Row("POST", rf"{_W}/revocation/decline", REVIEWS | ADMIN),
    Row("POST", rf"{_W}/reopen", REVIEWS | DESK),
    Row("POST", rf"{_W}/(review|return|finalise|amend|issue-alone|revocation)", REVIEWS),
    Row("POST", rf"{_W}/retakes", TALKS),
    Row("POST", rf"{_W}/consultations", DOCTORS),
    Row("", rf"{_W}/.*", READS),
    Row("GET", "/api/preliminary-reports", CENTRE),
    # Templates and snippets
    Row("GET POST", r"/api/templates/(preview|\{template_id\}/(fill|versions))", CENTRE),
    Row("GET", "/api/(templates|template-regions|snippets)", CENTRE),
    Row("", "/api/templates.*", REVIEWS | ADMIN),
    Row("", "/api/snippets.*", READS | ADMIN),
    # Orders, the identity desk
    Row("", "/api/procedures.*", ADMIN),
    Row("GET", "/api/orders/(patients|earlier)", SITE),
    Row("GET", "/api/orders.*", CENTRE | SITE),
    Row("", "/api/orders.*", SITE),
    Row("POST", "/api/identity/cases", READS | DESK),
    Row("", "/api/identity/.*", DESK),
    # Critical values, retakes, consultations, the telephone
    Row("PUT", "/api/critical-values/clocks", ADMIN),
    Row("PUT", "/api/critical-values/contacts/.*", DESK | ADMIN | {Role.SITE_DOCTOR}),
    Row("POST", "/api/critical-values/.*/(support|confirm|dismiss)", READS),
    Row("POST", "/api/critical-values/.*/(calls|close)", READS | DESK),
    # Under a consultation that waits for him, an expert sees the exam but no critical value of it.
    Row("POST", "/api/critical-values/.*", DOCTORS | DESK),
    Row("GET", "/api/critical-values.*", CENTRE | SITE),
    Row("POST", "/api/retakes/.*/(book|decline)", SITE),
    Row("POST", "/api/retakes/.*/acknowledge", TALKS | SITE),
    Row("POST", "/api/retakes/.*", TALKS),
    Row("GET", "/api/retakes.*", CENTRE | SITE),
    # Of a consultation whoever takes part in it knows; everybody else is told there is none.
    Row("POST", "/api/consultations/.*/archive", DOCTORS | DESK),
    Row("", "/api/consultations.*", CENTRE | SITE | EXPERT),
    Row("PUT", "/api/experts/.*", ADMIN),
    Row("GET", "/api/experts", CENTRE | {Role.SITE_DOCTOR}),
    Row("GET", "/api/phone-list", READS | DESK),
    Row("POST", r"/api/recalls/\{recall_id\}/acknowledge", READS | DESK),
    # ECG files: machines have tokens of their own
    Row("POST", "/api/ecg-files.*", SITE),
    Row("GET", "/api/ecg-(files|instances).*", CENTRE | SITE),
    # The portal of a site, and what it and the centre write to each other
    Row("", "/api/portal/.*", SITE),
    Row("", "/api/(exam-notes|exams)/.*", TALKS | SITE),
    # The ledger of both sides
    Row("GET", r"/api/ledger.*", SITE | READS | KEEPERS | AUDIT),
    # Keeping, deliveries, the quarantine
    Row("POST", "/api/keeping/holds", KEEPERS),
    Row("PUT POST", "/api/keeping/.*", DECIDERS),
    Row("", "/api/patient-copies.*", ADMIN),
    Row("", "/api/site-tests.*", DECIDERS),
    # A leak does not wait: who may see a token may end it, but not make one.
    Row("POST", r"/api/machine-tokens(/\{token_id\}/rotate)?", frozenset({Role.SYSTEM_ADMIN})),
    Row("", "/api/machine-tokens.*", DECIDERS),
    Row("GET", "/api/destinations", KEEPERS),
    Row("", "/api/destinations.*", frozenset({Role.SYSTEM_ADMIN})),
    Row("GET", "/api/(deliveries|delivery-queues).*", KEEPERS | SITE),
    Row("POST", "/api/(deliveries|delivery-queues).*", DESK | {Role.SYSTEM_ADMIN}),
    Row("", "/api/(keeping|quarantine).*", KEEPERS),
)

_NOBODY: Final = "00000000-0000-4000-8000-000000000000"

# What a route asks for beyond what its schema says.
BODIES: Final[dict[str, dict[str, Any]]] = {
    # No body at all: wrong credentials answer 401 as well.
    "/api/session": {"login": 0},
    "/api/people/{person_id}/identities": {"provider": "x", "subject": "x"},
    "/api/orders": {"patient_name": "X", "steps": [{"modality": "CT"}], "patient_local_id": "X1"},
    "PUT /api/orders/{order_id}": {
        "patient_name": "X",
        "patient_local_id": "X1",
        "steps": [{"modality": "CT"}],
    },
    "/api/procedures/{code}": {
        "modality": "CT",
        "name": "x",
        "name_en": "x",
        "body_part": "CHEST",
        "laterality": "none",
        "contrast": False,
        "position": 0,
        "active": True,
    },
    "/api/identity/cases/{case_id}/correct": {"reason": "x", "patient_id": _NOBODY},
    "/api/workitems/{workitem_id}/key-images": {"sop_instance_uid": "1.2.3"},
    "/api/workitems/{workitem_id}/retakes": {"reason": "x"},
    "/api/quarantine/{entry_id}/{action}": {"reason": "xxx"},
    "/api/working-time/hours": {"periods": [{"opens": "08:00", "closes": "17:00"}]},
    "/api/keeping/holds": {"reason": "xxx", "patient_id": _NOBODY},
    "/api/keeping/purges/{purge_id}/reject": {"comment": "xxx"},
}
QUERIES: Final[dict[str, dict[str, str]]] = {
    "/api/worklist/lines": {"id": _NOBODY},
    "/api/portal/statistics": {"month": "2026-11"},
    "/api/portal/statistics.csv": {"month": "2026-11"},
    "/api/portal/statistics/exams": {"month": "2026-11", "measure": "sent"},
}


def row_of(method: str, path: str) -> Row | None:
    """Return the row of a route; None when there is none."""
    return next((row for row in MATRIX if row.names(method, path)), None)
