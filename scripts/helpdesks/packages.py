"""Installing: Debian packages through apt where that is allowed, and packages of PyPI into a virtual environment of the server's own.

Of the machine itself only apt's own doing changes, and nothing is ever removed to make room.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from helpdesks.errors import Failed
from helpdesks.steps import inherited, run, shortened
from helpdesks.workplace import Place

APT_SECONDS = 1200.0
QUIET = ("-q", "-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=600")


def parse_versions(output: str) -> dict[str, str]:
    """The packages that are installed in full, by name, from lines of `status-abbreviation name version`."""
    found = {}
    for line in output.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0] == "ii":
            found[fields[1]] = fields[2]
    return found


def installed(names: Iterable[str]) -> dict[str, str]:
    """Those of the Debian packages that are installed, with their versions. None on a machine that has no dpkg."""
    if shutil.which("dpkg-query") is None:
        return {}
    ask = ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${Package} ${Version}\\n", *names]
    done = subprocess.run(ask, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return parse_versions(done.stdout)


def upstream(version: str) -> str:
    """A Debian version without epoch, Debian's revision and repacking: 1:2.3.15+dfsg-2+deb12u1 is 2.3.15."""
    return re.sub(r"[+~]dfsg.*$", "", version.rpartition(":")[2].rpartition("-")[0] or version.rpartition(":")[2])


def missing(names: Sequence[str], have: Mapping[str, str], *, mail: bool) -> list[str]:
    """What apt has to install. A mail transport agent only where there is no sendmail: the machine's own is to stay."""
    return [name for name in names if name not in have and not (name == "msmtp-mta" and mail)]


def may_install() -> list[str] | None:
    """What goes before an apt command (nothing, or sudo), or None where apt is not to be used."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    sudo = ["sudo", "-n"]
    able = subprocess.run([*sudo, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    return sudo if able.returncode == 0 else None


def _system(prefix: Sequence[str], command: Sequence[str], environment: Sequence[str], log: Path) -> int:
    """Runs a package manager. Neither our end nor our terminal's ends it early: half an installation is worse than a late one."""
    full = [*prefix, "env", *environment, *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            full, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        return process.wait(timeout=APT_SECONDS)
    except subprocess.TimeoutExpired as error:
        what = " ".join(command[:2])
        raise Failed(f"{what} has not ended within {APT_SECONDS:.0f} s and goes on by itself", f"See {log}") from error


def _bundler() -> list[str]:
    """Which of two bundlers is to be used, as a setting for apt.

    Debian's own knows that Debian's gems have no folder of their own; the newer one that came with a security update of Ruby does not,
    and with it the package `redmine` cannot be configured.
    """
    done = subprocess.run(
        ["apt-cache", "policy", "ruby-bundler"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    candidate = re.search(r"^\s*Candidate: (\d\S*)", done.stdout, re.MULTILINE)
    return [f"BUNDLER_VERSION={upstream(candidate[1])}"] if candidate else []


def cannot(names: Sequence[str]) -> Failed:
    """What is missing where we may not install it."""
    return Failed(
        f"needs Debian packages that are not installed, and they cannot be installed from here: {' '.join(names)}",
        f"As root on Debian: apt-get install --no-install-recommends {' '.join(names)}",
    )


def apt(names: Sequence[str], log: Path) -> None:
    """Installs Debian packages that are missing; an installation that was cut off is finished first."""
    prefix = may_install()
    command = ["apt-get", *QUIET, "install", *names]
    if prefix is None:
        raise cannot(names)
    print(f"installing Debian packages: {' '.join(names)}", flush=True)
    began = time.monotonic()
    plain = ["DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "LC_ALL=C.UTF-8"]
    code = _system(prefix, command, [*plain, *_bundler()], log)
    if code:
        # The lists may be old or missing, or dpkg was cut off in the middle once.
        _system(prefix, ["apt-get", "-q", "update"], plain, log)
        environment = [*plain, *_bundler()]
        _system(prefix, ["dpkg", "--configure", "-a"], environment, log)
        code = _system(prefix, command, environment, log)
    if code:
        said = shortened(log.read_text(errors="replace"))
        raise Failed(f"apt-get failed (exit {code})\n{said}", f"Try it by hand: {' '.join(command)}")
    print(f"installed in {time.monotonic() - began:.0f} s", flush=True)


def environment(place: Place, requirements: Sequence[str], lock: int | None) -> Path:
    """The Python of a virtual environment with the requirements in it; made anew when they or the interpreter have changed."""
    python = place.venv / "bin" / "python"
    stamp = place.venv / "stamp"
    wanted = "\n".join([sys.version, sys.executable, *requirements])
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing from PyPI: {' '.join(requirements)}", flush=True)
    shutil.rmtree(place.venv, ignore_errors=True)
    surrounding = inherited()
    run(
        "making a virtual environment",
        [sys.executable, "-m", "venv", str(place.venv)],
        environment=surrounding,
        folder=place.root,
        lock=lock,
    )
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    run("pip install", [*pip, *requirements], environment=surrounding, folder=place.root, lock=lock, seconds=900)
    stamp.write_text(wanted)
    return python
