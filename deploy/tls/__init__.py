"""Certificates of connections: a private authority of the centre's own, and what it issues.

Nothing to do with the signing authority: that one vouches for doctors and reports over decades,
this one for machines for a year or two.
"""

from typing import Final

SERVER: Final = "server"
"""Name of the certificate of this centre's own listeners."""

AUTHORITY_FILE: Final = "ca.pem"
"""The authority's certificate, which whoever connects to us is given."""

REVOKED_FILE: Final = "crl.pem"
"""The authority's list of revoked certificates, which whoever verifies others is given."""
