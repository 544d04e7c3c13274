"""A line that is slow and loses packets: a program that carries frames between two TAP devices.

The kernel's own word for it (netem) is not in every kernel, TAP devices are.
"""

import os
import random
import selectors
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Final, NoReturn

_FRAME_BYTES: Final = 65_536


def carry(near: int, far: int, delay: float, loss: float) -> NoReturn:
    """Carry frames both ways for ever.

    near, far: descriptors of the devices. delay: seconds one way. loss: the part that is lost of
    what goes one way, from 0 to 1.
    """
    under_way: deque[tuple[float, int, bytes]] = deque()
    selector = selectors.DefaultSelector()
    selector.register(near, selectors.EVENT_READ, far)
    selector.register(far, selectors.EVENT_READ, near)
    while True:
        pause = max(under_way[0][0] - time.monotonic(), 0) if under_way else None
        for key, _ in selector.select(pause):
            frame = os.read(key.fd, _FRAME_BYTES)
            if random.random() >= loss:
                under_way.append((time.monotonic() + delay, key.data, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, device, frame = under_way.popleft()
            # One that is being taken down loses it, too.
            with suppress(OSError):
                os.write(device, frame)


if __name__ == "__main__":
    carry(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
