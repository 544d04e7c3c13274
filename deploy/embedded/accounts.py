"""Which account an embedded server that refuses root runs under when we are root.

PostgreSQL will not run as root. Started by root it runs under an unprivileged
account, and where that account cannot reach the program or the data directory
(a clone below /root, mode 0700), it keeps one capability: to read past
directory permissions. No directory's mode is ever widened for it.
See deploy/docs/decisions.md, 2026-11-21.
"""

import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path

import psutil

from deploy.embedded.processes import Account
from deploy.errors import EmbeddedServerError

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

PREFERRED_ACCOUNTS = ("rdc", "postgres", "nobody")


def _may(status: os.stat_result, account: Account, bits: int) -> bool:
    """Whether the permission bits (0-7) are granted to the account; ACLs are not looked at."""
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == account.uid:
        granted = mode >> 6
    elif status.st_gid == account.gid:
        granted = mode >> 3
    else:
        granted = mode
    return granted & bits == bits


def unreachable(path: Path, account: Account) -> Path | None:
    """Return the first directory on the way to `path` that the account cannot pass, or None."""
    resolved = path.resolve()
    for parent in reversed(resolved.parents):
        if not _may(parent.stat(), account, 0o1):
            return parent
    return None


def _permitted_capabilities() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _choose_account(data: Path) -> Account:
    if data.exists() and (owner := data.stat().st_uid) != 0:
        entry = pwd.getpwuid(owner)
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    for name in PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedServerError(
        "PostgreSQL refuses to run as root and there is no account to run it under",
        expected=f"one of the accounts {', '.join(PREFERRED_ACCOUNTS)}",
        found="none of them",
        remedy="Create the account `rdc`, or run as an ordinary user.",
    )


def server_account(data: Path, program: Path, others: Sequence[Path] = ()) -> Account | None:
    """Choose the account for a server that refuses root; None when we are not root.

    An existing data directory stays with its owner. `others` are further paths
    the server must reach, its socket directory for one.
    Raises EmbeddedServerError when the server could not reach its files under any account.
    """
    if os.geteuid() != 0:
        return None
    account = _choose_account(data)
    blocked = next(
        (found for path in (data, program, *others) if (found := unreachable(path, account))), None
    )
    executable = _may(program.stat(), account, 0o5)
    if blocked is None and executable:
        return account
    permitted = _permitted_capabilities() if psutil.LINUX else 0
    wanted = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if executable else (CAP_DAC_OVERRIDE,)
    for capability in wanted:
        if permitted >> capability & 1:
            return Account(account.name, account.uid, account.gid, capability)
    raise EmbeddedServerError(
        f"PostgreSQL cannot reach {data} or {program}",
        expected=f"directories that account {account.name!r} may pass",
        found=f"{blocked or program} closed to it, and no capability to lend",
        remedy="Run as an ordinary user, or place the checkout and RDC_DATA_DIR elsewhere.",
    )
