"""What the how-tos show is run: files are read by the server's own readers, commands by a shell."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
import yaml

from collectors.documents.section import Context
from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving
from runbooks.notifiers.slack import SlackNotifier
from tests.tocsin.configuration.test_reload import failing, settings, write
from tests.tocsin.documents.blocks import DOCS, ROOT, Block, blocks_of, titled, understood
from tocsin import cli
from tocsin.configuration.checks import checked_configuration
from tocsin.settings import setting_rows
from tocsin.testing import LocalTocsin, local_tocsin

HOW_TOS = sorted(f"how-to/{path.name}" for path in (DOCS / "how-to").glob("*.md"))
WITH_FILES = [page for page in HOW_TOS if any(b.title.startswith("ops/") for b in blocks_of(page))]
TOKEN, SECRET = "xoxb-local", "shared"
Run = Callable[..., None]
# These start servers, or play for minutes: that the shell's words are understood is checked.
GO_ON = ("serve", "dashboard", "demo", "gameday")
# Tools of other people, which not every machine has: shown, and read by a person.
OTHERS = ("git", "docker", "scripts/setup", "export", "eval", "python", "chaos")


@pytest.mark.parametrize("page", WITH_FILES)
def test_the_files_of_a_page_are_in_order(page: str, tmp_path: Path) -> None:
    """Whoever copies an example would begin with an error, or with a file that nobody reads."""
    files = {title: block for title, block in titled(page).items() if title.startswith("ops/")}
    for title, block in files.items():
        path = tmp_path / title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    checked_configuration(tmp_path / "ops", Context(strict=False))

    names = {path.name for path in (tmp_path / "ops").rglob("*.yaml")}
    assert names == {Path(title).name for title in files}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalTocsin, Path, str]]:
    """A server with an incident, a directory with its ops/, and the local Slack."""
    home = tmp_path_factory.mktemp("home")
    write(home / "ops", "checkout")
    pages = (
        titled("how-to/on-call.md") | titled("how-to/escalate.md") | titled("how-to/heartbeats.md")
    )
    for title, block in pages.items():
        if not title.endswith("routes.yaml"):
            (home / title).parent.mkdir(parents=True, exist_ok=True)
            (home / title).write_text(block.text)
    (home / "ops/status.yaml").write_text(titled("how-to/status-page.md")["ops/status.yaml"].text)
    slack = partial(slack_app, token=TOKEN, signing_secret=SECRET, now=time.time)
    with local_tocsin(settings(home)) as running, serving(lambda _: slack()) as slack_url:
        running.run(12, failing("checkout"))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        made = f"{slack_url}/api/conversations.create"
        httpx2.post(made, data={"name": "europe"}, headers=headers, trust_env=False)
        yield running, home, slack_url


@pytest.fixture(name="run")
def _run(
    world: tuple[LocalTocsin, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run a line where the documentation's server is the test's: ours here, others in a shell."""
    running, _, slack_url = world
    address = running.api.base_url
    for name, value in (
        ("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"),
        ("NO_PROXY", "*"),
        ("TOCSIN_API_URL", address),
        ("TOCSIN_DASHBOARD_PORT", "0"),  # `doctor` looks at every port
        ("TOCSIN_SPECTATOR_PORT", "0"),
        ("TOCSIN_SLACK_BOT_TOKEN", TOKEN),
        ("TOCSIN_SLACK_SIGNING_SECRET", SECRET),
        ("TOCSIN_SLACK_BASE_URL", f"{slack_url}/api/"),
    ):
        monkeypatch.setenv(name, value)

    def run(command: str, cwd: Path = tmp_path) -> None:
        monkeypatch.chdir(cwd)
        words = shlex.split(command, comments=True)
        if words[0] == "tocsin" and "\n" not in command.strip():
            monkeypatch.setattr(sys, "argv", words)
            with pytest.raises(SystemExit) as stop:
                cli.main()
            assert stop.value.code == 0, command
            return
        local = command.replace("http://127.0.0.1:7101", address).replace("curl -s", "curl -sSf")
        # The present of the test's server is not that of the machine.
        local = f'date() {{ command date -d @{running.now_ms // 1_000} "$@"; }}\n{local}'
        done = subprocess.run(["bash", "-euc", local], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    return run


def shell(page: str) -> list[Block]:
    """Return the shell blocks of a page."""
    return [block for block in blocks_of(page) if block.language == "bash"]


@pytest.mark.parametrize("page", HOW_TOS)
def test_the_commands_of_a_page_do_what_they_say(page: str, run: Run, tmp_path: Path) -> None:
    """A command that was renamed, or an option that is gone, would stop a reader at once."""
    write(tmp_path / "ops", "checkout")
    for title, block in titled(page).items():
        if title.startswith("ops/"):
            path = tmp_path / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    for block in shell(page):
        if block.title in (
            "build and run",
            "on another machine",
            "with the server stopped",
            # test_a_backup_is_a_backup runs these, one after another.
            "as the server's user, on its machine",
            "prove that it is whole, for example from a timer",
            "prometheus.yml",
        ):
            continue
        if "curl" in block.text:
            run(block.text)
            continue
        for command in block.commands():
            words = shlex.split(command, comments=True)
            while words and "=" in words[0]:
                words.pop(0)
            if words[0].endswith("tocsin") and words[1] in GO_ON:
                understood(words[1:])
            elif words[0] not in OTHERS:
                run(command)


@pytest.mark.parametrize("page", ["systemd", "container", "slack", "behind-a-proxy"])
def test_variables_that_a_page_sets_are_settings(page: str) -> None:
    """A variable that nobody reads is silence."""
    known = {row.variable for row in setting_rows()}
    text = (DOCS / f"how-to/{page}.md").read_text()

    assert set(re.findall(r"\bTOCSIN_[A-Z_]+\b", text)) <= known


@pytest.mark.parametrize("unit", ["tocsin", "tocsin-dashboard"])
def test_the_systemd_units_start_what_there_is(unit: str, tmp_path: Path) -> None:
    """A unit with a wrong option fails at the next boot, when nobody is looking."""
    text = titled("how-to/systemd.md")[f"/etc/systemd/system/{unit}.service"].text
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)

    understood(shlex.split(parser["Service"]["ExecStart"])[1:])
    if unit == "tocsin":
        assert parser["Service"]["ExecReload"].endswith("-HUP $MAINPID")
    if shutil.which("systemd-analyze"):
        here = text.replace("/opt/tocsin/.venv/bin/tocsin", sys.executable)
        (tmp_path / f"{unit}.service").write_text(here)
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / f"{unit}.service")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Unknown" not in done.stderr


def test_the_container_starts_what_there_is() -> None:
    """What it copies, sets and runs must be there."""
    text = titled("how-to/container.md")["Containerfile"].text
    command = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert command is not None
    understood(list(yaml.safe_load(command[1]))[1:])
    assert (ROOT / "constraints.txt").exists()
    ports = {row.default for row in setting_rows() if row.name.endswith("_port")}
    exposed = re.search(r"^EXPOSE (.*)$", text, re.MULTILINE)
    assert exposed is not None
    assert {port.partition("/")[0] for port in exposed[1].split()} <= ports


def test_the_slack_manifest_asks_for_what_is_used() -> None:
    """A scope too few loses pages; one too many is refused by whoever approves apps."""
    manifest = yaml.safe_load(titled("how-to/slack.md")["slack-manifest.yaml"].text)
    asked = manifest["oauth_config"]["scopes"]["bot"]

    told = re.findall(r"``([a-z]+:[a-z]+|commands)``", SlackNotifier.__doc__ or "")
    assert set(asked) == set(told)
    assert manifest["settings"]["interactivity"]["request_url"].endswith("/slack/interactions")


def test_the_proxy_configuration_is_understood(tmp_path: Path) -> None:
    """A slip in it takes the pages away, or the login."""
    text = titled("how-to/behind-a-proxy.md")["/etc/nginx/conf.d/tocsin.conf"].text
    assert text.count("{") == text.count("}")
    slack, api, pages = re.findall(r"location [^{]*\{(.*?)\n    \}", text, re.DOTALL)
    assert "auth_basic" not in slack
    assert "auth_basic" in api
    assert "auth_basic" in pages
    assert ":7101" in slack


def test_a_backup_is_a_backup(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied must open again with what was in it."""
    monkeypatch.delenv("TOCSIN_SLACK_BOT_TOKEN")
    own = tmp_path / "first"
    own.mkdir()
    write(own / "ops", "checkout")
    blocks, second = titled("how-to/backups.md"), tmp_path / "second"
    with local_tocsin(settings(own)) as running:
        running.run(12, failing("checkout"))
        before = running.api.incidents()
        monkeypatch.setenv("TOCSIN_CONFIG_DIR", "ops")
        run(blocks["as the server's user, on its machine"].text, own)
    run(blocks["prove that it is whole, for example from a timer"].text, own)
    second.mkdir()
    shutil.move(own / "tocsin-backup.tar.gz", second)
    monkeypatch.delenv("TOCSIN_CONFIG_DIR")
    monkeypatch.setenv("TOCSIN_HISTORY", "off")
    run(blocks["on another machine"].text, second)

    with local_tocsin(settings(second)) as again:
        found = again.api.incidents()
    assert [one["id"] for one in found] == [one["id"] for one in before]
