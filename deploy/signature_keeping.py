"""What keeps signatures verifiable, done by a worker every few minutes.

The list of revoked certificates is made anew, and reports whose time stamps end, or lack the
outside authority's, get another one.
"""

import logging
from typing import Final

from deploy import signing
from deploy.bootstrap import Parts
from reading_worklist.reports import time_stamps
from reading_worklist.signing import revocation_lists
from reading_worklist.signing.authority import AuthorityUnreadable
from reading_worklist.signing.service_keys import make_service_keys
from storage.clock import utc_now

# Each takes a tenth of a second of a processor; the next round comes in minutes.
_STAMPS: Final = 500
_log = logging.getLogger(__name__)


def keep(parts: Parts) -> None:
    """Do what is due now.

    Where the authority's key is kept on another medium, no list can be signed here: it is logged,
    and `rdc signer crl` makes one where the key is.
    """
    now = utc_now()
    try:
        authority = signing.open_signing_authority(parts.settings)
        make_service_keys(parts.settings.authority_dir, authority)
        with parts.database.transaction() as session:
            made = revocation_lists.publish(session, authority, now=now)
    except AuthorityUnreadable as error:
        _log.warning("no list of revoked certificates was made", extra={"why": error.what})
    else:
        if made is not None:
            _log.info("a list of revoked certificates was made", extra={"number": made.number})
    long_term = signing.long_term(parts.settings)
    stamped = time_stamps.renew(parts.database, parts.objects, long_term, now=now, limit=_STAMPS)
    with parts.database.transaction() as session:
        waiting = time_stamps.waiting(session)
    if stamped or waiting:
        _log.info("reports were stamped again", extra={"stamped": stamped, "waiting": waiting})
