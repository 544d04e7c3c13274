"""An outside authority stamps the time; when it cannot, the centre does and says so."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reading_worklist.signing.authority import Authority
from reading_worklist.signing.long_term import CENTRE, LongTerm, last_stamp
from reading_worklist.signing.pades import sign_as_reviewer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.time_authority import TimeAuthority
from reading_worklist.signing.unlocking import Signer
from reading_worklist.signing.verdicts import Reason, Verdict
from reading_worklist.signing.verification import verify
from storage.clock import utc_now
from tests.reading_worklist.signing.test_verification import written_by
from tests.support.reports import CHINESE, authority, signer, typesetter
from tests.support.time_peer import TimePeer, time_peer

SHORT = timedelta(days=30)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def issuer(directory: Path) -> Authority:
    return authority(directory)


@pytest.fixture(scope="module")
def anchors(issuer: Authority) -> list[str]:
    return [issuer.certificate_pem]


@pytest.fixture(scope="module")
def signed(issuer: Authority) -> bytes:
    end = utc_now() + SHORT
    writer: Signer = signer(issuer, "李建国", not_after=end)
    reviewer: Signer = signer(issuer, "王芳", not_after=end)
    return sign_as_reviewer(
        written_by(writer),
        reviewer,
        appearance=CHINESE,
        typesetter=typesetter(),
        signed_at=utc_now(),
    )


@pytest.fixture(scope="module")
def one_peer(tmp_path_factory: pytest.TempPathFactory) -> Generator[TimePeer]:
    with time_peer(tmp_path_factory.mktemp("time")) as peer:
        yield peer


@pytest.fixture
def peer(one_peer: TimePeer) -> Generator[TimePeer]:
    yield one_peer
    one_peer.mood = "good"


@pytest.fixture
def long_term(peer: TimePeer, directory: Path, issuer: Authority) -> LongTerm:
    outside = TimeAuthority(peer.url, (peer.anchor,), timeout=10)
    return LongTerm(make_service_keys(directory, issuer), outside)


def test_the_outside_stamp_proves_the_time_for_those_who_trust_it(
    signed: bytes, long_term: LongTerm, peer: TimePeer, anchors: list[str]
) -> None:
    stamped = long_term.stamp(signed, at=utc_now())
    assert (stamped.by, stamped.shortfall) == ("127.0.0.1", "")
    assert stamped.ends_at - utc_now() > timedelta(days=3600)
    assert stamped.pdf.startswith(signed)
    found = last_stamp(stamped.pdf)
    assert found is not None
    assert (found.at, found.ends_at) == (stamped.at, stamped.ends_at)
    later = utc_now() + 2 * SHORT
    result = verify(stamped.pdf, anchors, time_anchors=[peer.anchor], at=later)
    assert (result.verdict, result.reason) == (Verdict.VALID, Reason.NONE)
    assert all(one.proven_at == stamped.at for one in result.signatures)
    # Who does not know the authority sees what the certificates prove, and no more.
    assert verify(stamped.pdf, anchors).verdict is Verdict.VALID
    assert verify(stamped.pdf, anchors, at=later).reason is Reason.EXPIRED


def test_the_time_authority_vouches_for_nobody(
    signed: bytes, long_term: LongTerm, peer: TimePeer
) -> None:
    stamped = long_term.stamp(signed, at=utc_now())
    result = verify(stamped.pdf, [], time_anchors=[peer.anchor])
    assert (result.verdict, result.reason) == (Verdict.INDETERMINATE, Reason.UNTRUSTED)


@pytest.mark.parametrize("mood", ["down", "garbage", "html", "replay", "slow"])
def test_when_it_is_away_the_centre_stamps_and_says_why(
    signed: bytes, long_term: LongTerm, peer: TimePeer, anchors: list[str], mood: str
) -> None:
    long_term.stamp(signed, at=utc_now())
    peer.mood = mood
    assert long_term.outside is not None
    hasty = replace(long_term.outside, timeout=0.2 if mood == "slow" else 10)
    stamped = replace(long_term, outside=hasty).stamp(signed, at=utc_now())
    assert stamped.by == CENTRE
    assert stamped.shortfall
    result = verify(stamped.pdf, anchors, at=utc_now() + 2 * SHORT)
    assert result.verdict is Verdict.VALID
    if mood == "slow":
        peer.released.set()


def test_a_stamp_of_somebody_else_is_not_taken(
    signed: bytes, long_term: LongTerm, anchors: list[str]
) -> None:
    assert long_term.outside is not None
    other = replace(long_term.outside, trust=tuple(anchors))
    stamped = replace(long_term, outside=other).stamp(signed, at=utc_now())
    assert (stamped.by, stamped.shortfall) == (CENTRE, Reason.UNTRUSTED.value)


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_far_from_ours_is_not_taken(
    signed: bytes, long_term: LongTerm, ahead: timedelta
) -> None:
    stamped = long_term.stamp(signed, at=utc_now() + ahead)
    assert stamped.by == CENTRE
    assert stamped.shortfall


def test_the_outside_stamp_comes_over_the_centres_own(
    signed: bytes, long_term: LongTerm, peer: TimePeer, anchors: list[str]
) -> None:
    peer.mood = "down"
    first = long_term.stamp(signed, at=utc_now())
    peer.mood = "good"
    second = long_term.stamp(first.pdf, at=utc_now())
    assert (first.by, second.by) == (CENTRE, "127.0.0.1")
    assert second.pdf.startswith(first.pdf)
    later = utc_now() + 2 * SHORT
    # Both prove the time: the centre's own, and for those who trust it the outside one.
    for trusted in ([], [peer.anchor]):
        assert verify(second.pdf, anchors, time_anchors=trusted, at=later).verdict is Verdict.VALID


def test_the_address_with_its_password_is_in_no_record(peer: TimePeer) -> None:
    secret = TimeAuthority("https://user:secret@tsa.example/x", (peer.anchor,))
    assert "secret" not in repr(secret)
    assert secret.name == "tsa.example"
