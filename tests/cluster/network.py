"""A network of machines on this one: namespaces with addresses of their own, joined by a bridge.

What runs in a machine sees its own interface and loopback and nothing else, neither this computer's
network nor the internet. The bridge is in a namespace too, so that nothing appears outside. Only
root may make them.
"""

import ctypes
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil
import pytest

from tests.support.ending import left_of

_NAMES: Final = Path("/var/run/netns")
_OWN: Final = Path("/proc/thread-self/ns/net")
_CLONE_NEWNET: Final = 0x40000000
_ROOT: Final = Path(__file__).resolve().parents[2]
_SWITCH: Final = "switch"
_MASK: Final = 24
_GONE_SECONDS: Final = 5.0
_TUNSETIFF: Final = 0x400454CA
_IFF_TAP_NO_PI: Final = 0x1002
_SLOW: Final = "slow0"


def require_namespaces() -> None:
    """Skip, and say so loudly, where network namespaces cannot be made."""
    if os.geteuid() == 0 and _ip("netns", "list", check=False) == 0:
        return
    message = "network namespaces need root and iproute2"
    sys.stderr.write(f"\nNOT TESTED: {message}\n")
    pytest.skip(message)


class Network:
    """Machines by name, each with its address. Use it as a context manager.

    Leaving it ends every process that runs in one of them.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        """Plan machines: the IPv4 address of each by its name of at most ten characters."""
        self.addresses = dict(addresses)
        self._prefix = f"rdc{os.getpid()}"
        self._lines: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Make the machines and join them."""
        _remove_left_behind()
        try:
            self._make()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the machines and what runs in them."""
        self._remove()

    def _make(self) -> None:
        self._add(_SWITCH)
        switch = self._namespace(_SWITCH)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for machine, address in self.addresses.items():
            self._add(machine)
            own = self._namespace(machine)
            _ip(
                *f"-n {switch} link add name {machine} type veth peer name eth0 netns {own}".split()
            )
            _ip(*f"-n {switch} link set dev {machine} master bridge up".split())
            _ip("-n", own, "address", "add", f"{address}/{_MASK}", "dev", "eth0")
            _ip("-n", own, "link", "set", "eth0", "up")

    def _add(self, machine: str) -> None:
        _ip("netns", "add", self._namespace(machine))
        _ip("-n", self._namespace(machine), "link", "set", "lo", "up")

    def _remove(self) -> None:
        for line in self._lines.values():
            line.kill()
            line.wait()
        for machine in (*self.addresses, _SWITCH):
            if (_NAMES / self._namespace(machine)).exists():
                self.end_processes(machine)
                _ip("netns", "delete", self._namespace(machine))

    def _namespace(self, machine: str) -> str:
        return f"{self._prefix}-{machine}"

    @contextmanager
    def inside(self, machine: str) -> Generator[None]:
        """Put the calling thread, and whatever it starts in the block, into a machine."""
        with _OWN.open("rb") as before, (_NAMES / self._namespace(machine)).open("rb") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    def cut(self, machine: str) -> None:
        """Pull a machine's cable: connections are not closed, they fall silent."""
        _ip("-n", self._namespace(_SWITCH), "link", "set", "dev", machine, "down")

    def mend(self, machine: str) -> None:
        """Plug the cable in again."""
        _ip("-n", self._namespace(_SWITCH), "link", "set", "dev", machine, "up")

    def slow(self, machine: str, delay: float, loss: float) -> None:
        """Give a machine a bad line in place of its own, until `mend_line`; connections stay.

        delay: seconds one way. loss: the part that is lost of what goes one way, from 0 to 1.
        """
        own, switch = self._namespace(machine), self._namespace(_SWITCH)
        far_name = f"s-{machine}"
        with self.inside(machine):
            near = _tap(_SLOW)
        with self.inside(_SWITCH):
            far = _tap(far_name)
        self.cut(machine)
        _ip("-n", own, "link", "set", "dev", _SLOW, "address", self._hardware(machine))
        _ip(*f"-n {switch} link set dev {far_name} master bridge up".split())
        self._move_address(machine, "eth0", _SLOW)
        self._lines[machine] = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.cluster.slow_line"),
                *(str(near), str(far), str(delay), str(loss)),
            ],
            pass_fds=(near, far),
            cwd=_ROOT,
        )
        # The devices are there as long as the program has them.
        os.close(near)
        os.close(far)

    def mend_line(self, machine: str) -> None:
        """Give a machine its good line again."""
        self._move_address(machine, _SLOW, "eth0")
        line = self._lines.pop(machine)
        line.kill()
        line.wait()
        self.mend(machine)

    def _hardware(self, machine: str) -> str:
        """The hardware address that the others know a machine by."""
        told = subprocess.run(
            ["ip", "-n", self._namespace(machine), "-json", "link", "show", "dev", "eth0"],
            check=True,
            capture_output=True,
        ).stdout
        return json.loads(told)[0]["address"]

    def _move_address(self, machine: str, old: str, new: str) -> None:
        own = self._namespace(machine)
        _ip("-n", own, "address", "flush", "dev", old)
        _ip(*f"-n {own} address add {self.addresses[machine]}/{_MASK} dev {new}".split())
        _ip("-n", own, "link", "set", "dev", new, "up")

    def processes(self, machine: str) -> list[psutil.Process]:
        """What runs in a machine, the calling process left out."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self._namespace(machine)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        found: list[psutil.Process] = []
        for pid in listed:
            # One may end while it is looked at.
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(int(pid)))
        return [one for one in found if one.pid != os.getpid()]

    def end_processes(self, machine: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to everything in a machine, as a power cut would, and wait for its end."""
        running = self.processes(machine)
        for process in running:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        left_of(running, _GONE_SECONDS)


def _remove_left_behind() -> None:
    """Remove what a run that was killed has left; what ran in it ended with its starter."""
    for name in _NAMES.glob("rdc*-*"):
        owner = name.name.removeprefix("rdc").partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            _ip("netns", "delete", name.name)


def _ip(*arguments: str, check: bool = True) -> int:
    try:
        done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return 127
    if check and done.returncode:
        message = f"ip {' '.join(arguments)}: {done.stderr.strip()}"
        raise RuntimeError(message)
    return done.returncode


def _tap(name: str) -> int:
    """Make a device whose frames come out of the descriptor that is returned, where we are now."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP_NO_PI))
    return descriptor


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
