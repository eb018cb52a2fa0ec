"""Which hosts are this very machine: nobody is on the way to them. Pure."""

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
