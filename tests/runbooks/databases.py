"""The databases that incidents may be kept in, for tests that must hold on each."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from sqlalchemy import create_engine, text

DATABASES = ("sqlite", "postgresql")
_PLACES = Path("/usr/lib/postgresql")


def _program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; skip the test where it is not installed."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(_PLACES.glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        pytest.skip(f"NOT TESTED: PostgreSQL's {name} is not installed (apt install postgresql)")
    return found


class PostgresServer:
    """A PostgreSQL in a directory of its own, on a Unix socket; it forgets all at its end."""

    def __init__(self) -> None:
        self._initdb, self._control = _program("initdb"), _program("pg_ctl")
        # A socket's path is short, which pytest's directories are not.
        self._home = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))

    def __enter__(self) -> Self:
        if os.getuid() == 0:
            shutil.chown(self._home, "postgres")
        data = str(self._home / "data")
        self._run(self._initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def empty_database(self) -> str:
        """Return the URL of a database without tables; what was in it before is gone."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        return self.url

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be away within; what was committed is there afterwards."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        options = f"-k {self._home} -c listen_addresses='' -c fsync=off -c max_connections=200"
        data, log = str(self._home / "data"), str(self._home / "log")
        self._run(self._control, "-D", data, "-l", log, "-o", options, "-w", "start")

    def _stop(self) -> None:
        self._run(self._control, "-D", str(self._home / "data"), "-m", "immediate", "stop")

    @property
    def url(self) -> str:
        """Address of the only database."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._home}"

    def _run(self, *command: str) -> None:
        # PostgreSQL refuses to run as root.
        before = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        subprocess.run(
            [*before, *command], check=True, cwd=self._home, stdout=subprocess.DEVNULL, timeout=60
        )
