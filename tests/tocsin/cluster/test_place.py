"""What a cluster needs is asked for at the start, in words."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from collectors.errors import ConfigError
from tocsin.cluster.place import place_of
from tocsin.commands.check_config import command
from tocsin.duration import Duration
from tocsin.settings import Settings, Shape

WHOLE: dict[str, Any] = {
    "cluster": Shape.PAIR,
    "cluster_node": "a",
    "cluster_url": "http://a:7101/",
    "cluster_token": SecretStr("shh"),
    "database_url": "postgresql://db/tocsin",
}


def test_one_process_has_no_place() -> None:
    """Who never heard of a cluster would be asked for its settings."""
    assert place_of(Settings()) is None


def test_a_whole_place() -> None:
    """Nodes would not find, or not believe, each other."""
    place = place_of(Settings(**WHOLE, step=Duration(1_000)))
    assert place is not None
    assert (place.node, place.url, place.lease_ms) == ("a", "http://a:7101", 1_500)
    assert place.admits("Bearer shh")
    assert not place.admits("Bearer sh")
    assert not place.admits("")


@pytest.mark.parametrize(
    ("lacks", "told"),
    [
        ({"cluster_node": ""}, "TOCSIN_CLUSTER_NODE"),
        ({"cluster_node": "a b"}, "'a b'"),
        ({"database_url": None}, "TOCSIN_DATABASE_URL"),
        ({"database_url": "sqlite:///x.db"}, "PostgreSQL"),
        ({"cluster_token": None}, "TOCSIN_CLUSTER_TOKEN"),
        ({"cluster_token": SecretStr("")}, "TOCSIN_CLUSTER_TOKEN"),
        ({"cluster_url": "a:7101"}, "TOCSIN_CLUSTER_URL"),
    ],
)
def test_what_lacks_is_named(lacks: dict[str, Any], told: str) -> None:
    """A pair that is half set up would be found out in its first outage."""
    with pytest.raises(ConfigError) as caught:
        place_of(Settings(**WHOLE | lacks))
    assert told in caught.value.message
    assert "shh" not in caught.value.message


def test_check_config_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be told only by a server that does not start."""
    monkeypatch.setenv("TOCSIN_CLUSTER", "pair")
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 3
    assert "TOCSIN_CLUSTER_NODE" in result.output
