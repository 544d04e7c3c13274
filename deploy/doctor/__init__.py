"""`rdc doctor`: looks at everything, says what is wrong in plain words and what to do."""

from deploy.doctor import machine, servers
from deploy.doctor.findings import Finding
from deploy.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """Look at the machine, its servers, and the work in them, in this order.

    It starts nothing and changes nothing; a small object is put into the object store, read back
    and removed.
    """
    return [*machine.look(settings), *servers.look(settings)]
