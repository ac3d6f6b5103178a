"""A PostgreSQL for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runbooks.databases import PostgresServer


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A real one on a socket of its own; without its programs the test is skipped."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgresql: PostgresServer) -> str:
    """URL of an empty database."""
    return postgresql.empty_database()
