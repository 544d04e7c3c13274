"""A new authority takes the place of the old one, and what the old one signed stays valid."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from reading_worklist.reports.rendering import render
from reading_worklist.signing import authority as module
from reading_worklist.signing.authority import Authority, former_certificates, succeed
from reading_worklist.signing.long_term import LongTerm
from reading_worklist.signing.pades import sign_as_reviewer, sign_as_writer
from reading_worklist.signing.service_keys import make_service_keys
from reading_worklist.signing.verdicts import Verdict
from reading_worklist.signing.verification import verify
from reading_worklist.typesetting.labels import Language
from storage.clock import utc_now
from tests.support.reports import CENTRE, CHINESE, authority, ct_report, signer, typesetter


def signed_by(issuer: Authority, directory: Path, text: bytes) -> bytes:
    """A report with both signatures and its proof, as the processes with these files make it."""
    now = utc_now()
    with_one = sign_as_writer(
        text,
        signer(issuer, "李建国"),
        appearance=CHINESE,
        typesetter=typesetter(),
        signed_at=now,
    )
    both = sign_as_reviewer(
        with_one, signer(issuer, "王芳"), appearance=CHINESE, typesetter=typesetter(), signed_at=now
    )
    return LongTerm(make_service_keys(directory, authority(directory))).conclude(both, at=now)


def anchors(directory: Path) -> list[str]:
    return [
        file.read_text() for file in (directory / "authority.pem", *former_certificates(directory))
    ]


def test_old_and_new_signatures_are_valid_side_by_side(tmp_path: Path) -> None:
    text = render(ct_report(), Language.ZH_CN, typesetter())
    first = authority(tmp_path)
    before = signed_by(first, tmp_path, text)
    second = succeed(tmp_path, organisation=CENTRE, name="Signing CA")
    assert second.certificate.subject != first.certificate.subject
    assert authority(tmp_path).certificate == second.certificate
    after = signed_by(second, tmp_path, text)
    # A doctor who has not got a new certificate yet.
    between = signed_by(first, tmp_path, text)
    both = anchors(tmp_path)
    assert len(both) == 2
    for at in (utc_now(), utc_now() + timedelta(days=10 * 365)):
        assert verify(before, both, at=at).verdict is Verdict.VALID
        assert verify(after, both, at=at).verdict is Verdict.VALID
    assert verify(between, both, at=utc_now()).verdict is Verdict.VALID
    # Who knows only one of them is told so, and nothing counts as forged.
    assert verify(after, [first.certificate_pem], at=utc_now()).verdict is Verdict.INDETERMINATE
    assert verify(before, [second.certificate_pem], at=utc_now()).verdict is Verdict.INDETERMINATE
    flipped = bytearray(before)
    flipped[len(text) // 2] ^= 1
    assert verify(bytes(flipped), both, at=utc_now()).verdict is not Verdict.VALID
    (kept,) = former_certificates(tmp_path)
    cross = x509.load_pem_x509_certificate((kept.parent / "cross.pem").read_bytes())
    cross.verify_directly_issued_by(first.certificate)
    assert cross.public_key() == second.certificate.public_key()
    third = succeed(tmp_path, organisation=CENTRE, name="Signing CA")
    assert len(anchors(tmp_path)) == 3
    assert verify(before, anchors(tmp_path), at=utc_now()).verdict is Verdict.VALID
    assert third.certificate.subject != second.certificate.subject


@pytest.mark.parametrize("moved", range(4))
def test_broken_off_anywhere_there_is_one_whole_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    first = authority(tmp_path)
    moves = 0
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal moves
        if self.parent.name == "next":
            moves += 1
            if moves > moved:
                message = "power lost"
                raise OSError(message)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    if moved < len(module._FILES):  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(OSError, match="power lost"):
            succeed(tmp_path, organisation=CENTRE, name="Signing CA")
    else:
        succeed(tmp_path, organisation=CENTRE, name="Signing CA")
    monkeypatch.undo()
    found = authority(tmp_path)
    assert found.certificate != first.certificate
    assert len(former_certificates(tmp_path)) == 1
    make_service_keys(tmp_path, found)
