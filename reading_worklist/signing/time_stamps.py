"""Time stamps (RFC 3161) from the centre's own clock and key.

A time stamp proves that something existed at a time, in the word of whoever keeps the clock. Here
that is the centre: what the report's signatures gain is that they stay provable after their
certificates have ended or were revoked.
"""

import secrets
from datetime import datetime
from typing import Any, Final, cast

from asn1crypto import cms, tsp
from cryptography.hazmat.primitives import serialization
from pyhanko.sign.timestamps import TimeStamper
from typing_extensions import override

from reading_worklist.signing.pdf_objects import room_for, software_signer
from reading_worklist.signing.service_keys import ServiceKey

DIGEST: Final = "sha384"
# "The time is that of the centre's servers": our own arc, a random UUID (ITU-T X.667 §7).
POLICY: Final = "2.25.189832604229707968522382104718819601300"
_SERIAL_BITS: Final = 127


class CentreTimeStamper(TimeStamper):
    """pyHanko's client of a time-stamping service, with the service in the same process."""

    def __init__(self, service: ServiceKey, at: datetime) -> None:
        """Stamp with `at`, an aware time, to the second."""
        super().__init__()
        self._at = at.replace(microsecond=0)
        secret = service.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._signer = software_signer([service.certificate, service.issuer], secret)

    @property
    def room(self) -> int:
        """How many hexadecimal digits a token may take."""
        return room_for(self._signer)

    @override
    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Answer a request (RFC 3161 §2.4.2)."""
        asked = cast("Any", req)
        fields: dict[str, Any] = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": secrets.randbits(_SERIAL_BITS) | 1,
            "gen_time": self._at,
        }
        if asked["nonce"].native is not None:
            fields["nonce"] = asked["nonce"]
        content = cast("Any", cms.EncapsulatedContentInfo)(
            {"content_type": "tst_info", "content": cast("Any", tsp.TSTInfo)(fields)}
        )
        token = await cast("Any", self._signer).async_sign_general_data(
            content, DIGEST, detached=False
        )
        return cast("Any", tsp.TimeStampResp)(
            {"status": {"status": "granted"}, "time_stamp_token": token}
        )
