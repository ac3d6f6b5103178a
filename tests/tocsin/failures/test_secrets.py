"""Secrets and strangers' text: shown to nobody, command nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from collectors.api.formats.separated import inert
from collectors.errors import ConfigError, StorageError
from collectors.history.engine import HistoryEngine
from collectors.printable import printable, printable_json
from collectors.redaction import redacted, without_secrets
from runbooks.incidents.database import open_database
from tocsin.cli import group
from tocsin.settings import Settings, load_settings, setting_rows, source_of
from tocsin.testing import local_tocsin

SECRET = "hunter2"


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://ops:{SECRET}@db:5432/incidents",
        f"http://ops:{SECRET}@clickhouse:8123/tocsin",
        f"http://ops:p@ss{SECRET}@clickhouse:8123/",
        f"https://{SECRET}{SECRET}@example.org/metrics",
        f"https://example.org/metrics?token={SECRET}&a=1",
        f"https://example.org/metrics?a=1&api_key={SECRET}",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"socks5h://proxy:{SECRET}@10.0.0.1:1080",
    ],
)
def test_a_password_in_an_address_is_hidden(address: str) -> None:
    """It would stand in logs, on pages and in chats for ever."""
    for text in (address, f"can't reach {address}: refused", repr({"url": address})):
        assert SECRET not in without_secrets(text)
    assert SECRET not in str(redacted({"a": [{"b": address}]}))


@pytest.mark.parametrize(
    "text",
    ["http://127.0.0.1:9090/metrics?match=up", "sqlite:////data/x.db", "12:30 a@b: c", "key=1"],
)
def test_other_text_stays(text: str) -> None:
    """What people need to find a fault would be blotted out."""
    assert without_secrets(text) == text


def test_errors_of_databases_name_no_password(tmp_path: Path) -> None:
    """The first wrong host name would put the password into the log."""
    url = f"postgresql+psycopg://ops:{SECRET}@127.0.0.1:1/x"
    with pytest.raises((StorageError, ImportError, ConfigError)) as told:
        open_database(url)
    assert SECRET not in str(told.value)
    with pytest.raises(StorageError) as lost:
        HistoryEngine.open(f"http://ops:{SECRET}@127.0.0.1:1/x")
    assert SECRET not in lost.value.message
    with pytest.raises(ConfigError) as wrong:
        open_database(f"://ops:{SECRET}@x")
    assert SECRET not in wrong.value.message
    assert make_url(url).password == SECRET


def test_settings_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pastes their settings into a ticket would paste the password."""
    monkeypatch.setenv("TOCSIN_DATABASE_URL", f"postgresql://ops:{SECRET}@db/x")
    monkeypatch.setenv("TOCSIN_HISTORY", f"http://ops:{SECRET}@ch:8123/")
    for arguments in (["settings"], ["settings", "--json"], ["settings", "--json", "--sources"]):
        assert SECRET not in CliRunner().invoke(group, arguments).output


def test_a_secret_comes_by_file_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the machine reads command lines."""
    secret_rows = [row for row in setting_rows() if not row.option]
    assert {row.name for row in secret_rows} == {
        "slack_bot_token",
        "slack_signing_secret",
        "slack_app_token",
        "api_token",
        "cluster_token",
        "oidc_client_secret",
        "heartbeat_url",
    }
    refused = CliRunner().invoke(group, ["serve", "--slack-bot-token", SECRET])
    assert refused.exit_code == 2

    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("TOCSIN_SLACK_BOT_TOKEN_FILE", str(file))
    token = load_settings().slack_bot_token
    assert token is not None
    assert token.get_secret_value() == SECRET
    assert source_of("slack_bot_token")[1] == "TOCSIN_SLACK_BOT_TOKEN_FILE"

    monkeypatch.setenv("TOCSIN_SLACK_BOT_TOKEN", "another")
    with pytest.raises(ConfigError, match="keep one"):
        load_settings()
    monkeypatch.delenv("TOCSIN_SLACK_BOT_TOKEN")
    file.unlink()
    with pytest.raises(ConfigError, match="can't be read"):
        load_settings()


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Incidents and telemetry would be read by everybody with an account on the machine."""
    before = os.umask(0o022)
    try:
        with local_tocsin(Settings(data_dir=tmp_path / "data", history="off")) as running:
            running.run(2)
            running.collectors.metrics.checkpoint()
            running.desk.tick()
            for path in (tmp_path / "data").rglob("*"):
                inside = path.relative_to(tmp_path / "data")
                if path.is_file():
                    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, inside
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("-1.5", "-1.5"),
        ("+3e-7", "+3e-7"),
        ("requests", "requests"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula(cell: str, written: str) -> None:
    """A series' name would run a command on the machine of whoever opens the file."""
    assert inert(cell) == written


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9b2J", "a\rb", "\x08\x08ok", "\u202egnp"])
def test_text_commands_no_terminal(text: str) -> None:
    """A tag could clear the screen of whoever is on call, or write what is not so."""
    assert printable(f"<{text}>\n").endswith(">\n")
    assert not set(printable(text)) & set("\x1b\x07\x9b\r\x08\u202e")
    assert printable_json(f'"{text}"').isprintable() or text.isascii()
