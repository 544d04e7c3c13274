"""Become a child that dies with its parent, then turn into another program.

Run as a script: `python -I -S launch.py SPEC PROGRAM ARGUMENT...`, where SPEC
is the JSON form of `deploy.embedded.processes.LaunchSpec`. It uses nothing but
the standard library and runs before any of ours is imported, so that it stays
quick and works with a changed user id.

The order matters: Linux forgets the parent-death signal when the user id or the
capabilities change (prctl(2)), so the signal is asked for last.
"""

import ctypes
import json
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

EXIT_CANNOT_LAUNCH = 127


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def change_account(uid: int, gid: int, capability: int | None) -> None:
    """Give up root for the given account, keeping at most one capability.

    The kept capability is raised to ambient so that it survives exec, and the
    set-user-id fix-up is switched off because access(2), which PostgreSQL asks
    about its own program files, would otherwise ignore it for a non-root user.
    """
    libc = _libc()
    if capability is not None:
        _check(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "securebits")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        header = _CapabilityHeader(LINUX_CAPABILITY_VERSION_3, 0)
        mask = 1 << capability
        data = (_CapabilityData * 2)(_CapabilityData(mask, mask, mask), _CapabilityData(0, 0, 0))
        _check(libc.capset(ctypes.byref(header), ctypes.byref(data)), "capset")
        _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "ambient")


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the parent ends, and end now if it already has."""
    if sys.platform == "linux":
        _check(_libc().prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "parent-death signal")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str]) -> NoReturn:
    """Apply the launch specification and replace this process by the program."""
    spec = json.loads(arguments[0])
    program = arguments[1:]
    try:
        os.umask(int(spec["umask"]))
        if spec["uid"] is not None:
            change_account(int(spec["uid"]), int(spec["gid"]), spec["capability"])
        die_with_parent(int(spec["parent"]), int(spec["death_signal"]))
        os.execv(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"rdc: cannot launch {program[0]}: {error}\n")
        sys.exit(EXIT_CANNOT_LAUNCH)


if __name__ == "__main__":
    main(sys.argv[1:])
