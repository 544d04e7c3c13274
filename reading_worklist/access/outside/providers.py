"""Identity providers: what is known of each, and the conversation with it.

The authorization code flow with PKCE (RFC 7636), state and nonce. What a provider says of itself
(OpenID Connect Discovery 1.0) is asked once an hour; its keys again when one is new.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any, Final, cast
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from storage.errors import RdcError

# Signatures of keys that the provider alone has; with a shared secret we could sign as well.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_KEPT_SECONDS: Final = 3600.0
_KEYS_AGAIN_SECONDS: Final = 30.0
CLOCK_SECONDS: Final = 60
"""How far its clock may be ahead of ours, or behind."""


class ProviderFailed(RdcError):
    """The provider cannot be asked, or says what cannot be believed."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Who has `value` in `claim` has `role` at the organisation of that code.

    claim: a name, or names with dots between for what is inside of another.
    """

    claim: str
    value: str
    organisation: str
    role: str


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What an installation says of a provider.

    label, label_en: what its button says.
    client_secret: None: a public client, which PKCE alone proves.
    email_verified_claim: None: every address that it tells is verified.
    second_factor_amr: values of the claim `amr` (RFC 8176) that mean a second factor was proved.
    roles: where there are any, this provider decides about the roles of the people it vouches for.
    trust: PEM file of who may issue its certificate; None: what the machine trusts.
    """

    name: str
    issuer: str
    client_id: str
    label: str
    label_en: str = ""
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    email_claim: str = "email"
    email_verified_claim: str | None = "email_verified"
    second_factor_amr: frozenset[str] = frozenset()
    roles: tuple[RoleRule, ...] = ()
    trust: Path | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for.

    email: in lower case, and verified; None where it says none, or none that is.
    sid: its name for its own session with the person's browser; None where it tells none.
    at: when it said so.
    """

    subject: str
    email: str | None
    second_factor: bool
    claims: Mapping[str, Any]
    sid: str | None
    at: datetime


@dataclass(slots=True)
class _Known:
    metadata: Mapping[str, Any]
    keys: KeySet
    at: float


class Provider:
    """One provider; thread-safe."""

    def __init__(self, config: ProviderConfig) -> None:
        """Remember the settings; nothing is asked yet."""
        self.config = config
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def address(self, redirect_uri: str, *, state: str, nonce: str, code_verifier: str) -> str:
        """Return where to send a browser for its person to sign in there.

        Raises:
            ProviderFailed: it cannot be asked.
        """
        endpoint = self._endpoint("authorization_endpoint")
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=code_verifier
            )
        return str(url)

    def vouched(self, redirect_uri: str, *, code: str, nonce: str, code_verifier: str) -> Vouched:
        """Exchange a code for whom the provider vouches for.

        Raises:
            ProviderFailed: it refuses the code, or its answer cannot be believed.
        """
        from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415

        try:
            with self._client(redirect_uri) as client:
                token = cast(
                    "dict[str, Any]",
                    client.fetch_token(
                        self._endpoint("token_endpoint"),
                        code=code,
                        code_verifier=code_verifier,
                        grant_type="authorization_code",
                    ),
                )
            claims = self._verified(token, nonce)
            if self.config.email_claim not in claims or self.config.roles:
                claims = {**self._user_info(token, str(claims["sub"])), **claims}
        except (AuthlibBaseError, JoseError, httpx.HTTPError, ValueError, KeyError) as error:
            raise self._failed(type(error).__name__) from error
        return self._read(claims)

    def leaving_address(self, back_to: str) -> str | None:
        """Return where a browser ends its session with the provider; None where it has no such.

        back_to: where the provider sends it then (OpenID Connect RP-Initiated Logout 1.0).

        Raises:
            ProviderFailed: it cannot be asked.
        """
        endpoint = self._metadata().metadata.get("end_session_endpoint")
        if not endpoint:
            return None
        query = {"client_id": self.config.client_id, "post_logout_redirect_uri": back_to}
        return f"{endpoint}{'&' if '?' in str(endpoint) else '?'}{urlencode(query)}"

    @property
    def tells_issuer(self) -> bool:
        """Whether its answers name their issuer (RFC 9207), so that one without is no answer."""
        told = self._metadata().metadata.get("authorization_response_iss_parameter_supported")
        return told is True

    def _read(self, claims: Mapping[str, Any]) -> Vouched:
        email = claims.get(self.config.email_claim)
        verified = (
            self.config.email_verified_claim is None
            or claims.get(self.config.email_verified_claim) is True
        )
        methods = claims.get("amr")
        shown = (
            [str(one) for one in cast("list[Any]", methods)] if isinstance(methods, list) else []
        )
        return Vouched(
            subject=str(claims["sub"]),
            email=email.strip().lower() if isinstance(email, str) and verified else None,
            second_factor=not self.config.second_factor_amr.isdisjoint(shown),
            claims=claims,
            sid=sid if isinstance(sid := claims.get("sid"), str) else None,
            at=datetime.fromtimestamp(float(claims["iat"]), UTC),
        )

    def _verified(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of an ID token (Core §3.1.3.7)."""
        from authlib.oidc.core import CodeIDToken  # noqa: PLC0415

        decoded = self.decoded(str(token["id_token"]))
        checked = cast("Any", CodeIDToken)(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self.config.issuer},
                "aud": {"essential": True, "value": self.config.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            params={
                "nonce": nonce,
                "client_id": self.config.client_id,
                "access_token": token.get("access_token"),
            },
        )
        checked.validate(leeway=CLOCK_SECONDS)
        return dict(decoded.claims)

    def _user_info(self, token: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Return what the provider tells beside the ID token (Core §5.3), of the same person."""
        endpoint = self._metadata().metadata.get("userinfo_endpoint")
        if not endpoint or not token.get("access_token"):
            return {}
        with self._http() as http:
            answer = http.get(
                str(endpoint), headers={"Authorization": f"Bearer {token['access_token']}"}
            )
        told = cast("dict[str, Any]", answer.raise_for_status().json())
        if told.get("sub") != subject:
            message = "the user info is somebody else's"
            raise ValueError(message)
        return told

    def decoded(self, encoded: str) -> jwt.Token:
        """Return a token that the provider has signed; what it says is not looked at.

        Raises:
            ProviderFailed: it cannot be asked for its keys.
            JoseError, ValueError: it is none, or of somebody else.
        """
        known = self._metadata()
        try:
            return jwt.decode(encoded, known.keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            # Its keys may have changed.
            if time.monotonic() - known.at < _KEYS_AGAIN_SECONDS:
                raise
            return jwt.decode(encoded, self._ask().keys, algorithms=list(ALGORITHMS))

    def _endpoint(self, name: str) -> str:
        found = self._metadata().metadata.get(name)
        if not isinstance(found, str):
            raise self._failed(f"no {name}")
        return found

    def _metadata(self) -> _Known:
        known = self._known
        if known is not None and time.monotonic() - known.at < _KEPT_SECONDS:
            return known
        return self._ask()

    def _ask(self) -> _Known:
        """Ask the provider about itself and for its keys."""
        issuer = self.config.issuer
        with self._lock:
            try:
                with self._http() as http:
                    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
                    metadata = cast("dict[str, Any]", http.get(url).raise_for_status().json())
                    keys = http.get(str(metadata["jwks_uri"])).raise_for_status().json()
                if metadata.get("issuer") != issuer:
                    raise self._failed(f"issuer {metadata.get('issuer')!r}")
                self._known = _Known(metadata, KeySet.import_key_set(keys), time.monotonic())
            except (httpx.HTTPError, JoseError, ValueError, KeyError) as error:
                raise self._failed(type(error).__name__) from error
            return self._known

    def _client(self, redirect_uri: str) -> Any:  # noqa: ANN401 -- the library has no types
        # Loaded by who uses it, not by every process.
        from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415

        return cast("Any", OAuth2Client)(
            client_id=self.config.client_id,
            client_secret=self.config.client_secret,
            token_endpoint_auth_method="client_secret_basic"
            if self.config.client_secret
            else "none",
            scope=" ".join(self.config.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=self.config.timeout,
            verify=self._trusted,
            trust_env=False,
        )

    def _http(self) -> httpx.Client:
        return httpx.Client(timeout=self.config.timeout, verify=self._trusted, trust_env=False)

    @cached_property
    def _trusted(self) -> SSLContext:
        # Once: to read a machine's authorities takes longer than to ask.
        return create_default_context(cafile=self.config.trust)

    def _failed(self, found: str) -> ProviderFailed:
        return ProviderFailed(
            f"the identity provider {self.config.name} cannot be believed or reached",
            expected=f"OpenID Connect answers of {self.config.issuer}",
            found=found,
            remedy="Try again; if it stays, check RDC_IDENTITY_PROVIDERS with its administrator.",
        )


def values_of(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """Return what a claim holds: of a list its members; nothing where there is no such claim."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = (
                cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
            )
    if isinstance(found, str):
        return frozenset({found})
    if isinstance(found, list):
        return frozenset(str(one) for one in cast("list[Any]", found))
    return frozenset()
