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
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
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
from collectors.history.address import DATABASE, database_of, server_of
from collectors.history.layout import Layout, Place, make_ready
from collectors.history.tables import Definition
from collectors.host.footprint import give_back
from collectors.redaction import without_secrets

_log = structlog.get_logger(__name__)
_PLACE = re.compile(r"while reading from part \S*?/(?P<part>\w+)/ in table (?P<table>[\w.]+)")
_MAX_MESSAGE_CHARS = 1_500
# Damaged parts set aside during one statement.
_MAX_SET_ASIDE = 20


# A retry reaches the views that the first try did not reach.
_VIEWS_TOO = ("deduplicate_blocks_in_dependent_materialized_views", "1")
# With a cluster: what was acknowledged is on a shard and read from where it was written, and a
# statement that asks two tables asks all of both.
_OF_SERVERS: dict[str, str] = {
    "insert_distributed_sync": "1",
    "load_balancing": "in_order",
    "distributed_product_mode": "global",
    _VIEWS_TOO[0]: _VIEWS_TOO[1],
}
_CONNECT_S = 5
# A server that did not answer is left alone for so long; whoever asks meanwhile is told at once.
_AGAIN_S = 10.0


class HistoryEngine:
    """One connection, used by one thread at a time.

    Args:
        make: Makes a client of ``clickhouse_connect``.
        database: Where the tables are.
        embedded: Whether it lives in this process.
        patient: Whether to go on without a server that can't be reached: it is tried again when
            something is asked, and all that is asked meanwhile fails.
        seconds: A clock that only moves forward.

    Attributes:
        leads: Whether this process appends spans and log records: of several that all have the
            same ones does. Who knows the others sets it.
        tidies: Whether it rolls up and drops, which one of several does for all.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        database: str,
        *,
        embedded: bool = False,
        patient: bool = False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._client: Any = None
        self._embedded = embedded
        self._seconds = seconds
        self._lock = threading.Lock()
        self._layout = Layout(database)
        self._wanted: list[Definition] = []
        self._failure: tuple[float, StorageError] | None = None
        self.database = database
        self.leads: Callable[[], bool] = _always
        self.tidies: Callable[[], bool] = _always
        try:
            self._run(lambda: None)
        except StorageError:
            if not patient:
                raise

    @classmethod
    def open(cls, url: str, *, patient: bool = False) -> HistoryEngine:
        """Open the engine at ``url``.

        Args:
            url: Its address.
            patient: Whether a server that can't be reached is waited for.

        Raises:
            ConfigError: The address has another form, or the server's tables don't fit.
            StorageError: The engine can't be opened or reached.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"chdb", "http", "https"}:
            raise ConfigError(
                f"history address '{without_secrets(url)}' must begin with chdb:///, http:// or https://"
            )
        import clickhouse_connect  # takes half a second, and chDB another half

        if parts.scheme == "chdb":
            Path(parts.path).mkdir(parents=True, exist_ok=True)
            with _told_of(url), _no_arrow():
                import chdb  # noqa: F401 - what the client would import
            made = partial(clickhouse_connect.get_client, dsn=url)
            return cls(partial(_made, made, url), DATABASE, embedded=True)
        made = partial(
            clickhouse_connect.get_client,
            dsn=server_of(url),
            connect_timeout=_CONNECT_S,
            # A session is one server's: a cluster's balancer may ask another one each time.
            autogenerate_session_id=False,
        )
        return cls(partial(_made, made, url), database_of(url), patient=patient)

    @property
    def reached(self) -> bool:
        """Whether it has been reached, now or before."""
        return self._client is not None

    @property
    def failure(self) -> str:
        """Why it could not be reached; nothing when it was."""
        return self._failure[1].message if self._failure else ""

    @property
    def embedded(self) -> bool:
        """Whether it lives in this process, and no other program has tables in it."""
        return self._embedded

    def keep(self, wanted: Sequence[Definition]) -> None:
        """See that tables are there, now or once the server is reached.

        Raises:
            ConfigError: They are there and don't fit.
            StorageError: They can't be made.
        """
        self._wanted += wanted
        if self.reached:
            self._run(lambda: self._make_ready(wanted))

    def place(self, table: str) -> Place:
        """Return where the rows of a table are."""
        return self._layout.place(table)

    def command(self, sql: str) -> None:
        """Run a statement that answers nothing."""
        self._run_past_damage(lambda: self._client.command(sql))

    def insert(
        self,
        table: str,
        rows: NDArray[Any] | bytes,
        fmt: str = "RowBinary",
        columns: Sequence[str] | None = None,
        token: str | None = None,
    ) -> None:
        """Insert rows: a structured array whose fields are columns, or text in ``fmt``.

        Args:
            table: Where they go.
            rows: The rows.
            fmt: How they are written.
            columns: Of text.
            token: What tells this batch from others: rows that come again with it are not kept
                twice. Without one nothing is compared: a row takes the place of the one before.
        """
        settings = _deduplicated(token)
        if isinstance(rows, bytes):
            names, block = columns, rows
        else:
            names, block = list(rows.dtype.names or ()), rows.tobytes()
        self._run(
            lambda: self._client.raw_insert(
                f"{self.database}.{table}",
                column_names=names,
                insert_block=block,
                fmt=fmt,
                settings=settings,
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
        place = self.place(table)
        found = self.columns(
            f"SELECT DISTINCT partition FROM {place.system('parts')} WHERE active AND rows > 0 "  # noqa: S608 - literals from quoted()
            f"AND table = {quoted(place.table)} AND database = {quoted(place.database)}"
        )
        return sorted(map(str, found[0])) if found else []

    def drop_partition(self, table: str, name: str) -> None:
        """Delete a partition of ``table`` with everything in it, on every shard."""
        place = self.place(table)
        self.command(
            f"ALTER TABLE {place.database}.{place.table}{place.on} DROP PARTITION {quoted(name)}"
        )

    def check(self, table: str) -> list[str]:
        """Have the engine verify ``table``; return a sentence for each damaged part.

        Parts that were set aside because they could not be read are told of as well. Of a cluster
        the server that is asked verifies its own.
        """
        place = self.place(table)
        damaged = [
            f"{table}: part {part} is damaged: {message}"
            for part, message in self._verdicts(f"{place.database}.{place.table}")
        ]
        aside = self.columns(
            "SELECT name FROM system.detached_parts "  # noqa: S608 - literals from quoted()
            f"WHERE table = {quoted(place.table)} AND database = {quoted(place.database)}"
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
            if self._client is not None:
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

    def _run(self, work: Callable[[], Any]) -> Any:
        with self._lock, _told():
            if self._client is None:
                self._connect()
            return work()

    def _connect(self) -> None:
        """Reach the engine and see to its tables; whoever failed lately is not tried again."""
        if self._failure and self._seconds() < self._failure[0]:
            raise self._failure[1]
        try:
            with _told():
                self._client = self._make()
                self._settle()
                self._make_ready(self._wanted)
        except (ConfigError, StorageError) as error:
            if self._client is not None:
                self._client.close()
                self._client = None
            failure = StorageError(error.message)
            self._failure = self._seconds() + _AGAIN_S, failure
            raise failure from error
        self._failure = None

    def _settle(self) -> None:
        """Choose the session's settings, those that the server has; see that the database is."""
        for name, value in {} if self._embedded else _OF_SERVERS.items():
            if name in self._client.server_settings:
                self._client.set_client_setting(name, value)
        if self._embedded:
            self._client.set_client_setting(*_VIEWS_TOO)
        there = f"SELECT name FROM system.databases WHERE name = {quoted(self.database)}"  # noqa: S608 - as above
        # Whoever may not make databases has been given one.
        if not self._ask(there):
            self._client.command(f"CREATE DATABASE IF NOT EXISTS {self.database}")

    def _make_ready(self, wanted: Sequence[Definition]) -> None:
        make_ready(self._layout, wanted, self._ask, self._client.command)

    def _ask(self, sql: str) -> Sequence[Sequence[Any]]:
        columns: Sequence[Sequence[Any]] = self._client.query(sql).result_columns
        return columns


def _always() -> bool:
    return True


def _made(make: Callable[[], Any], url: str) -> Any:
    with _told_of(url):
        return make()


def _deduplicated(token: str | None) -> Mapping[str, str]:
    if token is None:
        return {"insert_deduplicate": "0"}
    return {"insert_deduplicate": "1", "insert_deduplication_token": token}


@contextmanager
def _told(place: str = "history") -> Iterator[None]:
    """Have whatever the client and its transports raise told as ours."""
    try:
        yield
    except (ConfigError, StorageError):
        raise
    except Exception as error:
        text = without_secrets(str(error)[:_MAX_MESSAGE_CHARS])
        raise StorageError(f"{place}: {text}") from error


def _told_of(url: str) -> AbstractContextManager[None]:
    return _told(f"history at '{without_secrets(url)}'")


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
