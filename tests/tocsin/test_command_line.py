"""The command line: help, JSON, exit codes."""

import socket
from importlib import import_module
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from collectors.errors import ConfigError
from tocsin.cli import group
from tocsin.commands.dashboard import pages_command
from tocsin.demo.playlist import listing
from tocsin.settings import load_settings
from tocsin.sockets import listen_tcp, port_of

COMMANDS = [
    "serve",
    "dashboard",
    "demo",
    "gameday",
    "query",
    "check-config",
    "settings",
    "doctor",
    "history",
    "init",
    "incidents",
    "oncall",
    "postmortem",
    "status",
    "token",
    "audit",
    "slo",
    "rules",
    "metrics",
    "tags",
    "traces",
    "changes",
    "reload",
    "schema",
]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    """``--help`` answers 0 and says what the command does."""
    result = CliRunner().invoke(group, [name, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_the_dashboard_command_starts_pages_that_there_are() -> None:
    """The pages are known by name alone: the name and each option must be theirs."""
    settings = load_settings(
        {"api_url": "http://127.0.0.1:1", "slack_preview_url": "http://[::1]:2"}
    )
    _python, _m, module, *arguments = pages_command(7, settings)

    given = import_module(module).options(arguments)

    assert (given.port, given.api_url) == (7, "http://127.0.0.1:1")
    assert given.slack_url == "http://[::1]:2"


def test_the_demo_lists_faults_that_the_platform_knows() -> None:
    """One name a line; each can be injected."""
    result = CliRunner().invoke(group, ["demo", "--list-faults"])

    assert result.exit_code == 0
    assert set(result.output.split()) <= set(listing()["faults"])
    assert "region-death" in result.output.split()


def test_the_demo_refuses_an_unknown_fault() -> None:
    """Exit code 2, and the message names what there is."""
    result = CliRunner().invoke(group, ["demo", "--fault", "gremlins"])

    assert result.exit_code == 2
    assert "playback-errors" in result.output


def test_an_unknown_command_is_a_usage_error() -> None:
    """Exit code 2, as everywhere."""
    assert CliRunner().invoke(group, ["ring"]).exit_code == 2


def test_doctor_finds_a_busy_port(tmp_path: Path) -> None:
    """A port in use is a problem: exit code 3, and the variable to change is named."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        arguments = ["doctor", "--json", "--api-port", port, "--data-dir", str(tmp_path)]
        result = CliRunner().invoke(group, arguments)

    checks = {c["name"]: c for c in orjson.loads(result.output)["checks"]}
    assert result.exit_code == 3
    assert checks["api_port"]["health"] == "problem"
    assert "TOCSIN_API_PORT" in checks["api_port"]["detail"]


def test_settings_as_json_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """``tocsin settings --json`` prints one object."""
    monkeypatch.setenv("TOCSIN_SLACK_SIGNING_SECRET", "s3cret")

    result = CliRunner().invoke(group, ["settings", "--json"])

    values = orjson.loads(result.output)
    assert result.exit_code == 0
    assert values["slack_signing_secret"] == "(hidden)"
    assert values["api_port"] == "7101"


def test_a_busy_port_is_a_clear_error() -> None:
    """The message names the setting, the address and what to do."""
    first = listen_tcp("127.0.0.1", 0, "TOCSIN_API_PORT")
    try:
        with pytest.raises(ConfigError) as caught:
            listen_tcp("127.0.0.1", port_of(first), "TOCSIN_API_PORT")
    finally:
        first.close()

    assert "TOCSIN_API_PORT" in caught.value.message
    assert "0 for any free one" in caught.value.message


@pytest.mark.parametrize("kind", ["slo", "detector", "runbook", "routes", "impact", "scrape"])
def test_schemas_are_printed_for_editors(kind: str) -> None:
    """An editor that can't read the schema underlines everything, or nothing."""
    result = CliRunner().invoke(group, ["schema", kind])

    assert result.exit_code == 0
    schema = orjson.loads(result.output)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["$defs"]
    assert f"{kind} " in CliRunner().invoke(group, ["schema"]).output


def test_an_unknown_kind_of_schema_names_those_that_there_are() -> None:
    """Exit code 2, as for every wrong argument."""
    result = CliRunner().invoke(group, ["schema", "slos"])

    assert result.exit_code == 2
    assert "slo, detector" in result.output
