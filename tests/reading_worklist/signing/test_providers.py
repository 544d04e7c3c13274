"""One contract for every place of keys, and what each place does when it fails."""

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from reading_worklist.signing.authority import Authority, serial_of
from reading_worklist.signing.credentials import register_credential
from reading_worklist.signing.errors import KeyUnavailable, WrongPin
from reading_worklist.signing.fields import SignatureRole
from reading_worklist.signing.providers.csc import SigningService, SigningServices
from reading_worklist.signing.providers.outside import matches
from reading_worklist.signing.providers.port import (
    KeyProvider,
    PinRefused,
    ProviderKind,
    Providers,
    StoredKey,
)
from reading_worklist.signing.providers.sealed import SealedKeys, seal
from reading_worklist.signing.providers.tokens import Tokens
from reading_worklist.signing.statements import sign_statement, statement_holds
from reading_worklist.signing.tables import SigningCredential
from reading_worklist.signing.unlocking import unlock
from reading_worklist.signing.verification import verify
from storage.audit import AuditRecord
from storage.database import Database
from storage.registry import Person
from tests.reading_worklist.signing.test_verification import written_by
from tests.support.key_places import (
    Credential,
    SigningPeer,
    mutual_tls,
    signing_peer,
    soft_token,
    tls_pair,
)
from tests.support.reports import CENTRE, authority
from tests.support.web import CHEAP

PIN = "428193"


@dataclass(frozen=True)
class Held:
    """A key in one place. broken: makes the place fail, without the person's fault."""

    provider: KeyProvider
    key: StoredKey
    kind: ProviderKind
    broken: Callable[[], KeyProvider]


@dataclass(frozen=True)
class Made:
    """A key pair with its certificate, before it is put somewhere."""

    key: ec.EllipticCurvePrivateKey
    stored: StoredKey

    @property
    def secret(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    @property
    def chain_der(self) -> list[bytes]:
        return [one.public_bytes(serialization.Encoding.DER) for one in self.stored.chain]


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


def made(issuer: Authority, person_id: UUID | None = None) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    person = person_id or uuid4()
    certificate = issuer.issue(
        key.public_key(), person_id=person, display_name="李建国", organisation=CENTRE
    )
    chain = (certificate, issuer.certificate)
    return Made(key, StoredKey(person, serial_of(certificate), chain))


@pytest.fixture(scope="module")
def peer() -> Generator[SigningPeer]:
    with signing_peer(token="letmein") as found:
        yield found


def in_row(made: Made) -> Held:
    sealed, derivation = seal(
        made.secret, PIN, person_id=made.stored.person_id, serial=made.stored.serial, cost=CHEAP
    )
    key = replace(made.stored, sealed=sealed, derivation=derivation)
    unknown = derivation.replace("argon2id", "scrypt")

    class Unknown:
        def open(self, key: StoredKey, pin: str) -> Any:  # noqa: ANN401 - the port's
            return SealedKeys().open(replace(key, derivation=unknown), pin)

    return Held(SealedKeys(), key, ProviderKind.SEALED, Unknown)


def on_token(made: Made, directory: Path) -> Held:
    token = soft_token(directory, PIN, made.secret)
    place = {"module": "soft", "token": token.label, "key": token.key_id}
    return Held(
        Tokens({"soft": token.module}),
        replace(made.stored, place=place),
        ProviderKind.TOKEN,
        lambda: Tokens({"soft": Path("/nowhere/libnone.so")}),
    )


def with_service(made: Made, peer: SigningPeer, directory: Path) -> Held:
    peer.credentials[made.stored.serial] = Credential(made.chain_der, made.key, PIN)
    token_file = directory / "token"
    token_file.write_text("letmein\n")
    service = SigningService(peer.url, token_file=token_file, timeout=5)
    gone = SigningService("http://127.0.0.1:9/csc/v1", timeout=5)
    return Held(
        SigningServices({"ca": service}),
        replace(made.stored, place={"service": "ca", "credential": made.stored.serial}),
        ProviderKind.SERVICE,
        lambda: SigningServices({"ca": gone}),
    )


@pytest.fixture(scope="session")
def token(issuer: Authority, tmp_path_factory: pytest.TempPathFactory) -> Held:
    # One for the whole run: SoftHSM looks for tokens when it is loaded, and never again.
    return on_token(made(issuer), tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="module", params=list(ProviderKind))
def held(
    request: pytest.FixtureRequest,
    issuer: Authority,
    peer: SigningPeer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Held:
    match ProviderKind(request.param):
        case ProviderKind.SEALED:
            return in_row(made(issuer))
        case ProviderKind.TOKEN:
            return request.getfixturevalue("token")
        case ProviderKind.SERVICE:
            return with_service(made(issuer), peer, tmp_path_factory.mktemp("service"))


def value_of(held: Held, data: bytes, pin: str = PIN) -> bytes:
    engine: Any = held.provider.open(held.key, pin)
    return asyncio.run(engine.async_sign_raw(data, "sha256"))


def test_the_right_pin_signs_with_the_key_of_the_certificate(held: Held) -> None:
    value = value_of(held, b"content")
    assert matches(held.key.chain[0], value, b"content", "sha256")
    assert not matches(held.key.chain[0], value, b"other", "sha256")


def test_a_wrong_pin_is_refused_as_such_and_the_right_one_still_works(held: Held) -> None:
    for wrong in ("111112", "", "4281930", "口令"):
        with pytest.raises(PinRefused):
            held.provider.open(held.key, wrong)
    assert value_of(held, b"x")


def test_a_place_that_fails_does_not_blame_the_person(held: Held) -> None:
    with pytest.raises(KeyUnavailable) as refused:
        held.broken().open(held.key, PIN)
    assert refused.value.remedy


def test_the_signer_says_who_vouches_for_it(held: Held, issuer: Authority) -> None:
    engine: Any = held.provider.open(held.key, PIN)
    assert engine.signing_cert.serial_number == held.key.chain[0].serial_number
    others = [one.serial_number for one in engine.cert_registry]
    assert issuer.certificate.serial_number in others


def test_a_report_and_a_statement_are_signed(
    held: Held, issuer: Authority, database: Database
) -> None:
    """The way of the application: from the row that says which place it is."""
    person = Person(id=held.key.person_id, login="li", display_name="李建国", password_hash="-")
    with database.transaction() as session:
        session.add(person)
    with database.transaction() as session:
        if held.kind is ProviderKind.SEALED:
            row = SigningCredential(
                person_id=person.id,
                serial=held.key.serial,
                certificate_chain_pem="".join(pem(one) for one in held.key.chain),
                sealed_key=held.key.sealed,
                key_derivation=held.key.derivation,
                not_before=held.key.chain[0].not_valid_before_utc,
                not_after=held.key.chain[0].not_valid_after_utc,
            )
            session.add(row)
        else:
            register_credential(
                session,
                person_id=person.id,
                provider=held.kind,
                chain=held.key.chain,
                place=held.key.place,
            )
    providers = Providers({held.kind: held.provider})
    with pytest.raises(WrongPin) as refused:
        unlock(database, person.id, "999998", providers=providers)
    assert refused.value.attempts_left == 4
    with pytest.raises(KeyUnavailable):
        unlock(database, person.id, PIN, providers=Providers({held.kind: held.broken()}))
    with pytest.raises(KeyUnavailable):
        unlock(database, person.id, PIN, providers=Providers({}))
    with database.transaction() as session:
        # What was not tried is not counted.
        assert session.scalars(select(SigningCredential.failed_attempts)).one() == 1
        assert len(session.scalars(select(AuditRecord)).all()) == 1
    signer = unlock(database, person.id, PIN, providers=providers)
    assert (signer.display_name, signer.organisation) == ("李建国", CENTRE)
    anchors = [issuer.certificate_pem]
    result = verify(written_by(signer), anchors, required=(SignatureRole.WRITER,))
    assert result.verdict == "valid"
    assert result.signatures[0].person_id == person.id
    again = unlock(database, person.id, PIN, providers=providers)
    assert statement_holds(b"opinion", sign_statement(again, b"opinion"), anchors)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


# ---- tokens ------------------------------------------------------------------------------------


def test_the_token_shows_its_public_key_for_a_certificate(token: Held) -> None:
    tokens = token.provider
    assert isinstance(tokens, Tokens)
    assert tokens.public_key(token.key.place, PIN) == token.key.chain[0].public_key()
    with pytest.raises(PinRefused):
        tokens.public_key(token.key.place, "999998")


def test_another_key_on_the_token_signs_nothing(token: Held, issuer: Authority) -> None:
    stranger = replace(token, key=replace(token.key, chain=made(issuer).stored.chain))
    with pytest.raises(KeyUnavailable, match="not the key"):
        value_of(stranger, b"x")


@pytest.mark.parametrize(
    "change", [{"module": "x"}, {"token": "gone"}, {"key": "FF"}], ids=["module", "token", "key"]
)
def test_a_token_that_is_not_there_is_nobodys_fault(token: Held, change: dict[str, str]) -> None:
    elsewhere = replace(token, key=replace(token.key, place={**token.key.place, **change}))
    with pytest.raises(KeyUnavailable):
        value_of(elsewhere, b"x")


def test_while_somebody_signs_another_pin_is_still_looked_at(token: Held) -> None:
    """A library would let anybody in while the token's owner is signed in."""
    turns = [PIN, "999998"] * 6

    def attempt(pin: str) -> str:
        try:
            return "signed" if value_of(token, b"x", pin) else ""
        except PinRefused:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, turns)) == ["signed", "refused"] * 6


# ---- services ----------------------------------------------------------------------------------


@pytest.fixture
def served(issuer: Authority, peer: SigningPeer, tmp_path: Path) -> Generator[Held]:
    yield with_service(made(issuer), peer, tmp_path)
    peer.mood = "good"


@pytest.mark.parametrize("mood", ["garbage", "down", "long"])
def test_a_service_that_answers_nonsense_is_away(
    served: Held, peer: SigningPeer, mood: str
) -> None:
    peer.mood = mood
    with pytest.raises(KeyUnavailable):
        served.provider.open(served.key, PIN)


def test_a_service_that_does_not_answer_is_waited_for_so_long(
    served: Held, peer: SigningPeer
) -> None:
    peer.mood = "slow"
    impatient = SigningServices({"ca": SigningService(peer.url, timeout=0.1)})
    with pytest.raises(KeyUnavailable, match="Timeout"):
        impatient.open(served.key, PIN)
    peer.released.set()


def test_a_value_of_another_key_is_not_taken(served: Held, peer: SigningPeer) -> None:
    peer.mood = "other key"
    with pytest.raises(KeyUnavailable, match="not the key"):
        value_of(served, b"x")


def test_without_our_token_the_service_does_nothing(served: Held, peer: SigningPeer) -> None:
    nameless = SigningServices({"ca": SigningService(peer.url, timeout=5)})
    with pytest.raises(KeyUnavailable, match="invalid_token"):
        nameless.open(served.key, PIN)


def test_the_pin_goes_to_the_service_once_and_activates_two_signatures(
    served: Held, peer: SigningPeer
) -> None:
    peer.calls.clear()
    engine: Any = served.provider.open(served.key, PIN)
    for content in (b"preliminary", b"final"):
        asyncio.run(engine.async_sign_raw(content, "sha256"))
    assert peer.calls == ["credentials/authorize", "signatures/signHash", "signatures/signHash"]
    with pytest.raises(KeyUnavailable):
        asyncio.run(engine.async_sign_raw(b"third", "sha256"))


def test_the_service_gives_the_chain_of_a_credential_that_can_sign(
    served: Held, peer: SigningPeer
) -> None:
    services = served.provider
    assert isinstance(services, SigningServices)
    assert services.chain(served.key.place) == served.key.chain
    peer.credentials[served.key.serial].status = "disabled"
    with pytest.raises(KeyUnavailable, match="not enabled"):
        services.chain(served.key.place)


def test_both_sides_show_certificates(issuer: Authority, tmp_path: Path) -> None:
    ours, theirs = tls_pair(tmp_path, "rdc"), tls_pair(tmp_path, "service")
    new = made(issuer)
    with signing_peer(tls=mutual_tls(theirs, ours)) as peer:
        peer.credentials[new.stored.serial] = Credential(new.chain_der, new.key, PIN)
        key = replace(new.stored, place={"service": "ca", "credential": new.stored.serial})
        known = SigningService(
            peer.url, trust=theirs[0], certificate=ours[0], key=ours[1], timeout=5
        )
        assert SigningServices({"ca": known}).open(key, PIN)
        for wrong in (
            replace(known, certificate=None, key=None),
            replace(known, trust=ours[0]),
            replace(known, trust=None),
        ):
            with pytest.raises(KeyUnavailable):
                SigningServices({"ca": wrong}).open(key, PIN)
