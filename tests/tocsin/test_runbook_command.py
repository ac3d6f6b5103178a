"""``tocsin runbook``: begun, looked at and decided from a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.tocsin.configuration.test_reload import failing, settings, write
from tests.tocsin.test_asking_commands import Tell, run
from tocsin.testing import LocalTocsin, local_tocsin

MEND = """
name: mend
title: Mend the shop
applies_to: [{rule: "nothing"}]
inputs: {what: {pattern: "[a-z]+"}}
steps:
- {id: look, title: Look, kind: query, query: "name,shop,:eq,:sum"}
- {id: say, title: Say it, kind: command, run: say, arguments: {what: "{what}"}}
"""
ALLOWED = 'commands: {say: {argv: [/bin/echo, "mended {what}"], parameters: {what: "[a-z]+"}}}\n'


@pytest.fixture(name="tocsin")
def _tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    """A server with an incident, a runbook and what it may."""
    write(tmp_path / "ops", "shop")
    (tmp_path / "ops" / "runbooks").mkdir()
    (tmp_path / "ops" / "runbooks" / "mend.yaml").write_text(MEND)
    (tmp_path / "ops" / "automation.yaml").write_text(ALLOWED)
    with local_tocsin(settings(tmp_path)) as running:
        running.desk.automation.runner.spawn = lambda work: work()
        running.run(12, failing("shop"))
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        yield running


@pytest.fixture(name="tell")
def _tell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Run a command."""
    return lambda *words: run(capsys, monkeypatch, *words)


def test_a_run_from_the_terminal(tocsin: LocalTocsin, tell: Tell) -> None:
    """Rehearsed, begun, approved, and seen to have ended."""
    about = ("mend", "--incident", "inc-0001", "--set", "what=shop")
    assert "/bin/echo mended shop" in tell("runbook", "run", *about, "--dry-run")[1]
    assert tell("runbook", "runs", "--fail-empty")[0] == 3

    _, out, _ = tell("runbook", "run", *about, "--actor", "ana", "--json")
    run_id = orjson.loads(out)["id"]
    tocsin.desk.automation.tick()
    assert "waits for an approval" in tell("runbook", "status", run_id)[1]
    assert "say" in tell("runbook", "runs", "--incident", "inc-0001")[1]

    assert tell("runbook", "approve", run_id, "say", "--reason", "agreed")[0] == 0
    tocsin.desk.automation.tick()
    code, out, _ = tell("runbook", "status", run_id)
    assert (code, "is succeeded: 2 of 2 steps done" in out) == (0, True)
    assert "mended shop" in out
    assert "mend: say done: mended shop" in tell("incident", "show", "inc-0001")[1]


REFUSED = [
    (("run", "mend", "--incident", "inc-0001"), 1, "what must be said: what=…"),
    (("run", "mend", "--incident", "inc-0001", "--set", "what=a b"), 1, "it must match"),
    (("run", "mend", "--incident", "inc-0001", "--set", "what"), 2, "NAME=VALUE"),
    (("run", "no", "--incident", "inc-0001"), 4, "there is no runbook 'no'"),
    (("run", "mend", "--incident", "inc-9999"), 4, "there is no incident"),
    (("status", "run-0"), 4, "there is no run 'run-0'"),
    (("abort", "run-0"), 4, "there is no run 'run-0'"),
    (("show", "no"), 4, "there is no runbook 'no'"),
]


def test_what_is_refused_says_why(tocsin: LocalTocsin, tell: Tell) -> None:
    """With an exit code that scripts can tell apart."""
    del tocsin
    for words, code, message in REFUSED:
        found, _, err = tell("runbook", *words)
        assert (found, message in err) == (code, True), (words, err)


def test_runbooks_are_listed_shown_and_validated(
    tocsin: LocalTocsin, tell: Tell, tmp_path: Path
) -> None:
    """A mistake is told with its file, line and field, and exit code 3."""
    del tocsin
    assert "Mend the shop" in tell("runbook", "list")[1]
    assert "1. Look (query, look)" in tell("runbook", "show", "mend")[1]
    good, bad = tmp_path / "ops" / "runbooks" / "mend.yaml", tmp_path / "bad.yaml"
    assert tell("runbook", "validate", str(good))[0] == 0
    bad.write_text(MEND.replace("name,shop,:eq,:sum", "name,:nonsense"))
    code, out, _ = tell("runbook", "validate", str(bad))
    assert (code, "bad.yaml:7: steps[0].query" in out) == (3, True)
