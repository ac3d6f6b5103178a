"""`tocsin history schema`: the tables, for whoever makes them."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from collectors.history.schema import EVERYTHING
from collectors.history.tables import schema_sql
from tocsin.cli import group


def schema(*arguments: str) -> str:
    """Return what the command writes."""
    answer = CliRunner().invoke(group, ["history", "schema", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_statements_can_be_given_to_a_client_as_they_are() -> None:
    """An operator would have to copy them one by one."""
    told = schema("--cluster", "main").split(";\n\n")

    assert told == [*schema_sql(EVERYTHING, "tocsin", "main"), ""]


@pytest.mark.parametrize("cluster", ["", "main"])
def test_the_database_is_that_of_the_address(cluster: str) -> None:
    """The server would look for its tables in another one."""
    address = "https://tocsin:secret@clickhouse:8443/team_a"
    told = orjson.loads(schema("--history", address, "--cluster", cluster, "--json"))

    assert told == {
        "database": "team_a",
        "cluster": cluster,
        "statements": schema_sql(EVERYTHING, "team_a", cluster),
    }


def test_a_name_that_is_none_is_refused() -> None:
    """The statements would be somebody else's."""
    answer = CliRunner().invoke(group, ["history", "schema", "--cluster", "a'; DROP"])

    assert answer.exit_code != 0
