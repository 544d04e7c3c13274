"""What our authority says of its certificates, for anybody: OCSP, CRL, and its own certificate.

The addresses stand in the certificates (RFC 5280 §4.2.1.13, §4.2.2.1). Nothing of a patient is
known here, and nobody signs in.
"""

import base64
import binascii
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import unquote

from anyio import to_thread
from cryptography.hazmat.primitives import serialization
from fastapi import APIRouter, Depends, Path, Request, Response
from sqlalchemy import select

from reading_worklist.problems import Problem, not_found
from reading_worklist.public_rate import PublicRate
from reading_worklist.services import Parts, Services
from reading_worklist.signing import revocation_lists
from reading_worklist.signing.authority import CRL_NAME, ISSUER_NAME, OCSP_NAME, serial_of
from reading_worklist.signing.certificate_status import ANSWER_GOOD_FOR, UNKNOWN, Unknown, respond
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.tables import SigningCredential
from storage.clock import utc_now

router = APIRouter(prefix="/pki", tags=["certificates"])

_REQUEST_MAX: Final = 4096
_OCSP: Final = "application/ocsp-response"
_CRL: Final = "application/pkix-crl"
_CERTIFICATE: Final = "application/pkix-cert"
_RATE: Final = PublicRate("certificates", burst=100, per_second=20)

_Asked = Annotated[None, Depends(_RATE)]


def _binary(kind: str) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(f"/{ISSUER_NAME}", response_class=Response, responses=_binary(_CERTIFICATE))
def get_authority_certificate(services: Parts, _asked: _Asked) -> Response:
    """Return the authority's own certificate, DER."""
    issuer = _long_term(services).keys.certificate_status.issuer
    return Response(issuer.public_bytes(serialization.Encoding.DER), media_type=_CERTIFICATE)


@router.get(f"/{CRL_NAME}", response_class=Response, responses=_binary(_CRL))
def get_revocation_list(services: Parts, _asked: _Asked) -> Response:
    """Return the newest list of revoked certificates (RFC 5280 §5), DER."""
    with services.database.transaction() as session:
        found = revocation_lists.newest(session)
    if found is None:
        raise not_found("A list of revoked certificates")
    left = max(0, int((found.next_update - utc_now()).total_seconds()))
    # A fresh list appears within minutes of a revocation.
    headers = {"Cache-Control": f"public, max-age={min(left, 600)}"}
    return Response(found.der, media_type=_CRL, headers=headers)


@router.post(
    f"/{OCSP_NAME}",
    response_class=Response,
    responses=_binary(_OCSP),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/ocsp-request": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def post_ocsp(request: Request, services: Parts, _asked: _Asked) -> Response:
    """Answer for the status of one certificate (RFC 6960 appendix A.1)."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > _REQUEST_MAX:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "file-too-large",
                "The request is no OCSP request",
                expected=f"at most {_REQUEST_MAX} bytes",
            )
    return await to_thread.run_sync(_answer, services, bytes(received))


@router.get(f"/{OCSP_NAME}/{{encoded:path}}", response_class=Response, responses=_binary(_OCSP))
def get_ocsp(
    encoded: Annotated[str, Path(max_length=2 * _REQUEST_MAX)], services: Parts, _asked: _Asked
) -> Response:
    """Answer for the status of one certificate, asked for in base64 in the address."""
    try:
        asked = base64.b64decode(unquote(encoded), validate=True)
    except (binascii.Error, ValueError):
        asked = b""
    answer = _answer(services, asked)
    answer.headers["Cache-Control"] = (
        f"public, max-age={int(ANSWER_GOOD_FOR.total_seconds()) // 24}"
    )
    return answer


def _answer(services: Services, asked: bytes) -> Response:
    keys = _long_term(services).keys

    def revoked_at(serial: str) -> datetime | Unknown | None:
        with services.database.transaction() as session:
            row = session.execute(
                select(SigningCredential.revoked_at).where(SigningCredential.serial == serial)
            ).one_or_none()
        if row is not None:
            return row[0]
        return None if serial == serial_of(keys.time_stamping.certificate) else UNKNOWN

    return Response(
        respond(keys.certificate_status, asked, revoked_at, at=utc_now().replace(microsecond=0)),
        media_type=_OCSP,
    )


def _long_term(services: Services) -> LongTerm:
    found = services.config.long_term
    if found is None:
        raise not_found("An authority of our own")
    return found
