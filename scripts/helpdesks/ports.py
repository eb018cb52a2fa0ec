"""Ports on loopback: which one a server gets. Never anything but 127.0.0.1."""

import socket
from collections.abc import Collection
from contextlib import closing

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen there now; connections that are only fading away do not count."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(remembered: int | None, taken: Collection[int] = ()) -> int:
    """The port of last time if it is still free, or one that the system picks; none of `taken`, which others are about to use."""
    if remembered is not None and 0 < remembered < 65536 and remembered not in taken and is_free(remembered):
        return remembered
    # Sockets stay open until one fits, so that the system does not offer the same port twice.
    refused: list[socket.socket] = []
    try:
        while True:
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            refused.append(probe)
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
            if port not in taken:
                return port
    finally:
        for probe in refused:
            probe.close()
