"""Settings: one table, four sources, clear refusals."""

from pathlib import Path

import pytest

from collectors.errors import ConfigError
from tocsin.duration import Duration
from tocsin.settings import load_settings, setting_rows

SECRETS = {
    "slack_app_token",
    "slack_bot_token",
    "slack_signing_secret",
    "api_token",
    "cluster_token",
    "heartbeat_url",
    "oidc_client_secret",
}
"""They have no option: everybody on a machine reads command lines."""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stray tocsin.toml or environment reaches a test."""
    monkeypatch.chdir(tmp_path)
    for row in setting_rows():
        monkeypatch.delenv(row.variable, raising=False)


def test_the_nearer_source_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Command line beats environment beats tocsin.toml beats the default."""
    Path("tocsin.toml").write_text('step = "20s"\napi_port = 1\nhost = "::1"\n')
    monkeypatch.setenv("TOCSIN_STEP", "30s")
    monkeypatch.setenv("TOCSIN_API_PORT", "2")

    settings = load_settings({"api_port": "3", "step": None})

    assert settings.api_port == 3
    assert settings.step == Duration(30_000)
    assert settings.host == "::1"
    assert settings.otlp_http_port == 4318


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TOCSIN_STEP", "soon", "'soon' is not a duration"),
        ("TOCSIN_API_PORT", "70000", "api_port (TOCSIN_API_PORT) = '70000'"),
        ("TOCSIN_MAX_SERIES", "many", "max_series (TOCSIN_MAX_SERIES) = 'many'"),
    ],
)
def test_a_wrong_value_is_named(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the setting, its variable and the offending value."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    assert expected in caught.value.message


def test_an_unknown_key_in_the_file_is_refused() -> None:
    """A typo in tocsin.toml does not pass in silence."""
    Path("tocsin.toml").write_text("stepp = '5s'\n")

    with pytest.raises(ConfigError, match="stepp"):
        load_settings()


def test_a_broken_file_is_named() -> None:
    """TOML that can't be parsed names the file."""
    Path("tocsin.toml").write_text("step = = 5")

    with pytest.raises(ConfigError, match=r"tocsin\.toml"):
        load_settings()


def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither repr nor an error message carries a token."""
    monkeypatch.setenv("TOCSIN_SLACK_BOT_TOKEN", "xoxb-very-secret")

    settings = load_settings()

    assert "very-secret" not in repr(settings)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-very-secret"


def test_every_setting_is_documented() -> None:
    """Each row has a variable, an option and a sentence."""
    for row in setting_rows():
        assert row.description.endswith((".", ")")), row
        assert row.variable == "TOCSIN_" + row.name.upper()
        assert row.option.startswith("--") or row.name in SECRETS


@pytest.mark.parametrize(
    ("text", "ms"),
    [("5s", 5_000), ("250ms", 250), ("10m", 600_000), ("6h", 21_600_000), ("2d", 172_800_000)],
)
def test_durations_are_read_and_written(text: str, ms: int) -> None:
    """Text to milliseconds and back."""
    assert Duration.parse(text) == Duration(ms)
    assert Duration.parse(str(Duration(ms))) == Duration(ms)
