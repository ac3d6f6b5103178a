"""Ledgers: in SQLite, and in a MariaDB that the test starts for itself where one is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from demo_stack.services.billing.database import Database
from demo_stack.services.billing.ledger import Ledger
from demo_stack.services.billing.processor import SyntheticProcessor

MONTH_MS = 1_000_000
START_S = 60.0


class Books:
    """A ledger with what it stands on."""

    def __init__(self, url: str, processor: SyntheticProcessor) -> None:
        self.database = Database(url)
        self.processor = processor
        self.ledger = Ledger(self.database, processor, MONTH_MS)

    def open_invoices(self, now_ms: int) -> list[int]:
        self.ledger.invoice_due(now_ms, 1_000)
        return self.ledger.chargeable(now_ms, 1_000)


def _missing() -> str | None:
    if not shutil.which("mariadbd") or not shutil.which("mariadb-install-db"):
        return "MariaDB is not installed (Debian package mariadb-server)"
    return None


@pytest.fixture(scope="session")
def mariadb_socket() -> Iterator[str]:
    """The socket of a MariaDB of our own, empty and without a port."""
    if why := _missing():
        pytest.skip(why)
    # A socket's path may have 107 characters; pytest's own directories are longer than that.
    with tempfile.TemporaryDirectory(prefix="maria") as folder:
        data, socket = Path(folder) / "data", Path(folder) / "s"
        common = [f"--datadir={data}", "--no-defaults"]
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True, timeout=START_S,
        )  # fmt: skip
        server = subprocess.Popen(
            ["mariadbd", *reversed(common), f"--socket={socket}", "--skip-networking",
             "--user=root", f"--pid-file={folder}/pid", "--innodb-buffer-pool-size=16M",
             "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(server, socket)
            yield str(socket)
        finally:
            server.terminate()
            server.wait(30)


def _wait(server: subprocess.Popen[bytes], socket: Path) -> None:
    deadline = time.monotonic() + START_S
    while not socket.exists():
        assert server.poll() is None, "MariaDB ended while it started"
        assert time.monotonic() < deadline, "MariaDB did not start"
        threading.Event().wait(0.05)


def _fresh_database(socket: str) -> str:
    """Return the URL of a new, empty database."""
    base = f"mysql+pymysql://root@localhost/{{}}?unix_socket={socket}"
    name = f"billing{time.monotonic_ns()}"
    engine = create_engine(base.format("mysql"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return base.format(name)


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite"
    pytest.importorskip("pymysql", reason="pymysql is not installed (extra demo)")
    return _fresh_database(request.getfixturevalue("mariadb_socket"))


@pytest.fixture
def books(url: str) -> Iterator[Callable[..., Books]]:
    """Return what opens the books; any number of them stand on the same database."""
    opened: list[Books] = []

    def make(processor: SyntheticProcessor | None = None) -> Books:
        opened.append(Books(url, processor or SyntheticProcessor(declined_share=0.0)))
        return opened[-1]

    yield make
    for one in opened:
        one.database.close()
