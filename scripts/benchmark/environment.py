"""The clean virtual environment that is measured: chit from its wheel, bytecode compiled, nothing else installed.

Also what the measured processes see of the world: a home of their own and no settings of whoever runs the benchmark.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("cli", "sync", "completions", "pyproject.toml", "README.md", "LICENSE")


def _fingerprint() -> str:
    """Of everything that goes into the wheel, and of the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    files = [ROOT / name for name in SOURCES]
    for top in files:
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def make(work: Path) -> Path:
    """The environment's `bin`; built anew when the sources have changed."""
    venv = work / "venv"
    stamp = venv / "stamp"
    fingerprint = _fingerprint()
    if not (stamp.exists() and stamp.read_text() == fingerprint):
        print(f"Installing the wheel into {venv} …", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        wheels = work / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip: list[str] = [str(venv / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT)], check=True)
        (wheel,) = wheels.glob("*.whl")
        subprocess.run([*pip, "install", f"{wheel}[serve]"], check=True)
        subprocess.run(
            [venv / "bin" / "python", "-m", "compileall", "-q", venv / "lib"], check=True, stdout=subprocess.DEVNULL
        )
        stamp.write_text(fingerprint)
    return venv / "bin"


def variables(work: Path, binaries: Path) -> dict[str, str]:
    """The environment variables of every measured process."""
    home = work / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "USER": "bench",
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([str(binaries), *os.environ.get("PATH", os.defpath).split(os.pathsep)]),
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
    }
