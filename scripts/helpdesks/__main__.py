"""The command line. `scripts/servers --help` says what can be asked for."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from helpdesks.errors import Failed
from helpdesks.lifecycle import SERVERS, Failures, Fleet, status
from helpdesks.workplace import Workplace


def _default_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "chit-helpdesks"


def _end(number: int, frame: FrameType | None) -> None:
    """Asked to end, we end as after Ctrl-C, and clean up on the way."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {kind:8} {server.title}" for kind, server in SERVERS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/servers",
        description="Real helpdesk servers on this machine's loopback, for the tests. See docs/helpdesks/servers.md.",
        epilog=f"servers:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        choices=["up", "down", "reset", "status"],
        help="up: install, seed and start what is not; down: stop; reset: the seeded databases again, and start; status: what runs",
    )
    parser.add_argument("server", nargs="*", metavar="SERVER", help="these only; all unless named")
    parser.add_argument(
        "--work",
        metavar="DIR",
        type=Path,
        default=_default_folder(),
        help="where everything lies (default: %(default)s)",
    )
    return parser


def main() -> int:
    """0 if all that was asked is so, 1 if not for some server, 2 if it was not understood, 130 if interrupted."""
    parser = _parser()
    arguments = parser.parse_args()
    unknown = [name for name in arguments.server if name not in SERVERS]
    if unknown:
        parser.error(f"no server is called {' or '.join(unknown)}; there are {', '.join(SERVERS)}")
    kinds = [kind for kind in SERVERS if not arguments.server or kind in arguments.server]
    work = Workplace(arguments.work.absolute())
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    try:
        if not Path("/proc/self/stat").exists():
            raise Failed("processes cannot be told apart here: there is no /proc", "Run it on Linux.")
        if arguments.action == "status":
            found = status(work, kinds)
            for kind, (state, where) in found.items():
                print(f"{kind:8} {state:9} {where}".rstrip())
            return 0 if all(state == "running" for state, _ in found.values()) else 1
        with work.held():
            fleet = Fleet(work, kinds)
            {"up": fleet.up, "reset": fleet.reset, "down": fleet.down}[arguments.action]()
        return _report(fleet.failures, work)
    except Failed as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command again goes on from here", file=sys.stderr)
        return 130


def _report(failures: Failures, work: Workplace) -> int:
    for kind, error in failures.items():
        print(f"error: {kind}: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    if failures and (running := sorted(work.entries())):
        print(f"These run all the same: {', '.join(running)}", file=sys.stderr)
    print(work.record)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
