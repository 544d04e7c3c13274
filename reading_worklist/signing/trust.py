"""Whether an authority that counts vouches for a certificate, in our words."""

from typing import Final

from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.validation.status import SignatureStatus

from reading_worklist.signing.verdicts import Reason

_TRUST_REASONS: Final = {
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: Reason.EXPIRED,
    AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED: Reason.EXPIRED,
    AdESIndeterminate.EXPIRED: Reason.EXPIRED,
    AdESIndeterminate.REVOKED_NO_POE: Reason.REVOKED,
    AdESIndeterminate.REVOKED_CA_NO_POE: Reason.REVOKED,
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: Reason.WRONG_PURPOSE,
    AdESIndeterminate.SIG_CONSTRAINTS_FAILURE: Reason.WRONG_PURPOSE,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: Reason.ALGORITHM,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: Reason.ALGORITHM,
}


def trust_problem(status: SignatureStatus) -> Reason:
    """Return why the certificate is not trusted, or NONE when it is."""
    problem = status.trust_problem_indic
    if problem is None:
        return Reason.NONE if status.validation_path is not None else Reason.UNTRUSTED
    if isinstance(problem, AdESIndeterminate):
        return _TRUST_REASONS.get(problem, Reason.UNTRUSTED)
    return Reason.UNTRUSTED
