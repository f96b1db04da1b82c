"""Bases of ports for tests: below the range that the kernel hands out by itself."""

import random

from router.firstrun import state


def free_base() -> int:
    """A PORT of which everything counted from it is free."""
    for _ in range(50):
        ports = state.Ports(base=random.randrange(20000, 22000, 10))
        if not state.taken_ports(ports):
            return ports.base
    raise AssertionError("no free ports between 20000 and 22000")
