"""The wheel in an environment of its own: complete, without the demo's packages, and its size."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import orjson
import pytest

pytestmark = [
    pytest.mark.processes,
    pytest.mark.waits,
    pytest.mark.slow,
    pytest.mark.skipif(
        "TOCSIN_LONG_STORIES" not in os.environ,
        reason="an install of its own takes minutes; set TOCSIN_LONG_STORIES=1 to try it",
    ),
]
ROOT = Path(__file__).parents[2]
ROOMS = ("tocsin", "collectors", "anomaly", "runbooks", "dashboards", "demo_stack")
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR", "DASHBOARD")
UNREACHABLE = (
    "(from versions: none)",
    "connection",
    "Connection",
    "timed out",
    "Temporary failure",
)
DEMO_ONLY = ("authlib", "cryptography", "joserfc", "netflix-spectator-py", "aiokafka")
# Measured: 1,199 MB and 80 packages, pip's byte code included; docs/decisions/010 says of what.
MAX_INSTALL_MB = 1_250
MAX_PACKAGES = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A fresh environment with the wheel, a directory to work in, and what the install took."""

    wheel: Path
    python: Path
    directory: Path
    size_mb: float

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program of the environment, every port a free one."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TOCSIN_", "PYTHON"))}
        free = {f"TOCSIN_{name}_PORT": "0" for name in PORTS}
        return subprocess.Popen(
            [str(self.python), *words],
            cwd=self.directory,
            env={**inherited, **free, "TOCSIN_DATA_DIR": str(self.directory / "data")},
            stdout=subprocess.PIPE,
        )

    def run(self, *words: str) -> bytes:
        """Run a program to its end, which must be a good one, and return what it printed."""
        process = self.start(*words)
        out, _ = process.communicate(timeout=300)
        assert process.returncode == 0, out.decode()
        return out


def pip(python: Path, *words: str) -> None:
    """Run pip; skip where no packages can be reached from here."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        pytest.skip(f"packages can't be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr


def megabytes(environment: Path) -> float:
    """Return what the files of an environment take, 2**20 bytes."""
    files = (p for p in environment.rglob("*") if p.is_file() and not p.is_symlink())
    return sum(p.stat().st_size for p in files) / (1 << 20)


@pytest.fixture(scope="module", name="installed")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel from this checkout and install it, pinned, without any extra."""
    directory = tmp_path_factory.mktemp("wheel")
    pip(
        Path(sys.executable),
        *("wheel", "--no-deps", "--no-build-isolation", "-w", str(directory), str(ROOT)),
    )
    (wheel,) = directory.glob("tocsin-*.whl")
    environment = directory / "env"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python, empty_mb = environment / "bin" / "python", megabytes(environment)
    pip(python, "install", "-c", str(ROOT / "constraints.txt"), str(wheel))
    size_mb = megabytes(environment) - empty_mb
    return Installed(wheel=wheel, python=python, directory=directory, size_mb=size_mb)


def packages(installed: Installed) -> set[str]:
    """Return the names of the distributions that are installed beside pip."""
    program = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    names = installed.run("-c", program).decode().lower().split()
    return set(names) - {"pip", "setuptools"}


@contextmanager
def running(installed: Installed, *words: str) -> Iterator[dict[str, str]]:
    """Start a server of the environment; give the addresses that it prints."""
    process = installed.start(*words)
    assert process.stdout is not None
    try:
        yield orjson.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_the_wheel_has_every_file_of_the_packages(installed: Installed) -> None:
    """A template, a runbook or ``py.typed`` that stays behind breaks only what is installed."""
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    names = set(zipfile.ZipFile(installed.wheel).namelist())

    assert [name for name in tracked if name and name not in names] == []
    assert [room for room in ROOMS if f"{room}/py.typed" not in names] == []


def test_doctor_finds_nothing_wrong(installed: Installed) -> None:
    """The first command of a new user must not end in a traceback or a false alarm."""
    answer = orjson.loads(installed.run("-m", "tocsin", "doctor", "--json"))

    assert [check for check in answer["checks"] if check["health"] == "problem"] == []
    assert answer["ok"] is True


def test_a_plain_install_serves(installed: Installed) -> None:
    """What only the demo's packages bring, directly or by chance, must not be needed."""
    assert packages(installed).isdisjoint(DEMO_ONLY)
    with running(installed, "-m", "tocsin", "serve", "--json") as addresses:
        answer = httpx2.get(addresses["api"] + "/health", trust_env=False, timeout=30)

    assert answer.json()["status"] == "ok"


def test_a_plain_install_shows_pages(installed: Installed) -> None:
    """The pages run from the installed package, not from the checkout."""
    with running(installed, "-m", "dashboards.serve", "--port", "0") as addresses:
        transport = httpx2.HTTPTransport(retries=20)  # it says its address, then it listens
        with httpx2.Client(transport=transport, trust_env=False, timeout=30) as http:
            assert http.get(addresses["url"]).status_code == 200


def test_a_plain_install_stays_within_its_size(installed: Installed) -> None:
    """Another large dependency is a decision, not an accident."""
    assert installed.size_mb <= MAX_INSTALL_MB
    assert len(packages(installed)) <= MAX_PACKAGES
