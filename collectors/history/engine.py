"""The thin seam to ClickHouse: statements, rows in, columns out.

``chdb:///path`` opens the embedded engine: one process owns the directory and must not fork
afterwards. ``http://user:password@host:8123/database`` is a server. Only what chDB's small build
and a server share is used. The client library calls its embedded interface experimental, which is
why nothing else imports it.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from collectors.errors import ConfigError, StorageError
from collectors.host.footprint import give_back
from collectors.redaction import without_secrets

DATABASE = "tocsin"
_log = structlog.get_logger(__name__)
_PLACE = re.compile(r"while reading from part \S*?/(?P<part>\w+)/ in table (?P<table>[\w.]+)")
_MAX_MESSAGE_CHARS = 1_500
# Damaged parts set aside during one statement.
_MAX_SET_ASIDE = 20


class HistoryEngine:
    """One connection, used by one thread at a time.

    Args:
        client: A client of ``clickhouse_connect``.
        database: Where the tables are.
        embedded: Whether it lives in this process.
    """

    def __init__(self, client: Any, database: str, *, embedded: bool = False) -> None:
        self._client = client
        self._embedded = embedded
        self._lock = threading.Lock()
        self.database = database
        self.command(f"CREATE DATABASE IF NOT EXISTS {database}")

    @classmethod
    def open(cls, url: str) -> HistoryEngine:
        """Open the engine at ``url``.

        Raises:
            ConfigError: The address has another form.
            StorageError: The engine can't be opened or reached.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"chdb", "http", "https"}:
            raise ConfigError(
                f"history address '{without_secrets(url)}' must begin with chdb:///, http:// or https://"
            )
        import clickhouse_connect  # takes half a second, and chDB another half

        try:
            if parts.scheme == "chdb":
                Path(parts.path).mkdir(parents=True, exist_ok=True)
                with _no_arrow():
                    import chdb  # noqa: F401 - what the client would import
                return cls(clickhouse_connect.get_client(dsn=url), DATABASE, embedded=True)
            database = parts.path.strip("/") or DATABASE
            client = clickhouse_connect.get_client(
                dsn=url.replace(parts.path, "") if parts.path else url
            )
            return cls(client, database)
        except Exception as error:  # the client raises whatever its transports raise
            raise StorageError(
                f"history at '{without_secrets(url)}': {without_secrets(str(error))}"
            ) from error

    @property
    def embedded(self) -> bool:
        """Whether it lives in this process, and no other program has tables in it."""
        return self._embedded

    def command(self, sql: str) -> None:
        """Run a statement that answers nothing."""
        self._run_past_damage(lambda: self._client.command(sql))

    def insert(
        self,
        table: str,
        rows: NDArray[Any] | bytes,
        fmt: str = "RowBinary",
        columns: Sequence[str] | None = None,
    ) -> None:
        """Insert rows: a structured array whose fields are columns, or text in ``fmt``."""
        if isinstance(rows, bytes):
            names, block = columns, rows
        else:
            names, block = list(rows.dtype.names or ()), rows.tobytes()
        self._run(
            lambda: self._client.raw_insert(
                f"{self.database}.{table}", column_names=names, insert_block=block, fmt=fmt
            )
        )

    def columns(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return the columns that ``sql`` selects; none when no row is selected."""
        found: Sequence[Sequence[Any]] = self._run_past_damage(
            lambda: self._client.query(sql).result_columns
        )
        return found

    def array(self, sql: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return rows of fixed-width columns as a structured array."""
        data = self._run_past_damage(lambda: self._client.raw_query(sql, fmt="RowBinary"))
        return np.frombuffer(data, dtype=dtype)

    def partitions(self, table: str) -> list[str]:
        """Return the names of the partitions of ``table`` that hold rows, ascending."""
        found = self.columns(
            "SELECT DISTINCT partition FROM system.parts WHERE active AND rows > 0 "  # noqa: S608 - both are literals from quoted()
            f"AND table = {quoted(table)} AND database = {quoted(self.database)}"
        )
        return sorted(map(str, found[0])) if found else []

    def drop_partition(self, table: str, name: str) -> None:
        """Delete a partition of ``table`` with everything in it."""
        self.command(f"ALTER TABLE {self.database}.{table} DROP PARTITION {quoted(name)}")

    def check(self, table: str) -> list[str]:
        """Have the engine verify ``table``; return a sentence for each damaged part.

        Parts that were set aside because they could not be read are told of as well.
        """
        damaged = [
            f"{table}: part {part} is damaged: {message}"
            for part, message in self._verdicts(f"{self.database}.{table}")
        ]
        aside = self.columns(
            "SELECT name FROM system.detached_parts "  # noqa: S608 - literals from quoted()
            f"WHERE table = {quoted(table)} AND database = {quoted(self.database)}"
        )
        damaged += [
            f"{table}: part {part} is damaged and set aside in the table's folder 'detached'"
            for part in (aside[0] if aside else ())
        ]
        return damaged

    def give_back(self) -> None:
        """Return memory that an embedded engine keeps for the next insert to the system.

        A block comes once an hour at a step of a minute: until then it would hold the memory that
        writing the last one took, a hundred megabytes and more, and the pages of its program that
        were read for it.
        """
        if self._embedded:
            self.command("SYSTEM JEMALLOC PURGE")
            give_back()

    def close(self) -> None:
        """Release the engine."""
        with self._lock:
            self._client.close()

    def _verdicts(self, table: str, part: str = "") -> list[tuple[str, str]]:
        """Have a table or one part verified; return name and reason of each damaged part."""
        chosen = f" PART {quoted(part)}" if part else ""
        sql = f"CHECK TABLE {table}{chosen} SETTINGS check_query_single_value_result = 0"
        # Asked for as text: the client takes the statement for a command and drops its rows.
        answer: bytes = self._run(lambda: self._client.raw_query(sql, fmt="JSONCompactEachRow"))
        rows = map(orjson.loads, answer.splitlines())
        return [(name, message) for name, sound, message in rows if not sound]

    def _run_past_damage(self, work: Any) -> Any:
        """Run ``work``; parts that can't be read are set aside, so that the rest is answered."""
        for _ in range(_MAX_SET_ASIDE):
            try:
                return self._run(work)
            except StorageError as error:
                place = _PLACE.search(error.message)
                # Reading may also fail for want of memory or file descriptors.
                if place is None or not self._verdicts(place["table"], place["part"]):
                    raise
                _log.error("damaged part set aside", **place.groupdict(), reason=error.message)
                detach = f"ALTER TABLE {place['table']} DETACH PART {quoted(place['part'])}"
                self._run(partial(self._client.command, detach))
        return self._run(work)

    def _run(self, work: Any) -> Any:
        try:
            with self._lock:
                return work()
        except Exception as error:  # as above
            raise StorageError(
                f"history: {without_secrets(str(error)[:_MAX_MESSAGE_CHARS])}"
            ) from error


@contextmanager
def _no_arrow() -> Iterator[None]:
    """Keep chDB from importing Arrow for answers in its form, which are never asked for: 26 MB."""
    if "pyarrow" in sys.modules:
        yield
        return
    sys.modules["pyarrow"] = _Absent("pyarrow")
    try:
        yield
    finally:
        del sys.modules["pyarrow"]


class _Absent(ModuleType):
    """Stands for a module whose classes are only named, as types of arguments."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


def quoted(text: str) -> str:
    """Return ``text`` as a ClickHouse string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"
