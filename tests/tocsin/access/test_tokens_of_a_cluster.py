"""Tokens of a cluster: made through one node, good on all, revoked on all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.clock import ManualClock
from collectors.errors import ConfigError, ConflictError, NotFoundError, StorageError
from tests.runbooks.databases import PostgresServer
from tocsin.access.gate import Gatekeeper
from tocsin.access.kept_tokens import tokens_of
from tocsin.access.rights import Right, Role
from tocsin.access.token_table import TokenTable
from tocsin.access.tokens import TokenFile
from tocsin.cli import group
from tocsin.settings import Settings, Shape

NOW_MS = 1_700_000_000_000


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(name="url")
def _url(server: PostgresServer) -> str:
    return server.empty_database()


def test_what_one_node_makes_is_good_on_the_other_until_it_is_revoked(url: str) -> None:
    """People would need a token a node, and a leaked one would have to be revoked on each."""
    one, other = TokenTable(url), TokenTable(url)
    keeper = Gatekeeper(other, ManualClock(NOW_MS))
    token, secret = one.create("ana", Role.RESPONDER, NOW_MS, None)
    assert keeper.judge(Right.READ, secret).status
    other.look()
    assert not keeper.judge(Right.RESPOND, secret).status
    assert other.tokens() == one.tokens() == [token]

    one.revoke("ana", NOW_MS)
    other.look()
    assert keeper.judge(Right.READ, secret).status == 401
    with pytest.raises(NotFoundError):
        other.revoke("ana", NOW_MS)
    for tokens in (one, other):
        tokens.close()


def test_a_name_is_given_once(url: str) -> None:
    """Two tokens of one name can't be told apart in the audit log."""
    one, other = TokenTable(url), TokenTable(url)
    one.create("ana", Role.VIEWER, NOW_MS, NOW_MS + 1)
    with pytest.raises(ConflictError, match="'ana'"):
        other.create("ana", Role.VIEWER, NOW_MS, None)
    other.create("ana", Role.VIEWER, NOW_MS + 1, None)
    assert [token.expires_ms for token in one.tokens()] == [NOW_MS + 1, None]
    for tokens in (one, other):
        tokens.close()


def test_what_was_known_is_in_force_while_the_database_is_away() -> None:
    """An outage of the database would lock out those who are to mend it."""
    with PostgresServer() as server:
        tokens = TokenTable(server.url)
        _, secret = tokens.create("ana", Role.VIEWER, NOW_MS, None)
        tokens.look()
    with pytest.raises(StorageError, match="database in which nodes agree"):
        tokens.look()
    assert tokens.find(secret) is not None
    tokens.close()


def test_the_command_line_makes_them_where_the_cluster_has_them(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token in a file of one node opens nothing on the others."""
    for name, value in {
        "TOCSIN_CLUSTER": "pair",
        "TOCSIN_CLUSTER_NODE": "a",
        "TOCSIN_CLUSTER_TOKEN": "secret",
        "TOCSIN_DATABASE_URL": url,
        "TOCSIN_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    made = CliRunner().invoke(group, ["token", "create", "ana", "--role", "viewer"])
    assert made.exit_code == 0, made.output
    table = TokenTable(url)
    table.look()
    assert table.find(made.stdout.strip()) is not None
    assert TokenFile(tmp_path).tokens() == []
    table.close()


def test_what_a_cluster_lacks_is_said() -> None:
    """The token would lie in a file, and be refused."""
    with pytest.raises(ConfigError, match="TOCSIN_CLUSTER_NODE"):
        tokens_of(Settings(cluster=Shape.PAIR))
