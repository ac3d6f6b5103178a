"""Commands that ask a server: words, JSON, empty answers, errors as sentences, exit codes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import orjson
import pytest

from tests.tocsin.configuration.test_reload import failing, settings, write
from tocsin import cli
from tocsin.testing import LocalTocsin, local_tocsin


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTocsin]:
    """A server with an incident that nobody changes."""
    with _with_incident(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(name="asked")
def _asked(server: LocalTocsin, monkeypatch: pytest.MonkeyPatch) -> LocalTocsin:
    """The same, asked by default."""
    monkeypatch.setenv("TOCSIN_API_URL", server.api.base_url)
    return server


@pytest.fixture(name="tocsin")
def _tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    """A server of one's own, asked by default."""
    with _with_incident(tmp_path) as running:
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        yield running


@contextmanager
def _with_incident(directory: Path) -> Iterator[LocalTocsin]:
    write(directory / "ops", "shop")
    write_rota(directory / "ops")
    with local_tocsin(settings(directory)) as running:
        running.run(12, failing("shop"))
        yield running


def write_rota(directory: Path) -> None:
    """Write a schedule in which two people take turns."""
    (directory / "people.yaml").write_text("people: [{id: ana, name: Ana}, {id: ben, name: Ben}]\n")
    (directory / "oncall").mkdir()
    (directory / "oncall" / "payments.yaml").write_text(
        "name: payments\ntitle: Payments\ntime_zone: Europe/Berlin\n"
        "layers: [{name: weekly, people: [ana, ben], since: 2023-10-30}]\n"
    )


Tell = Callable[..., tuple[object, str, str]]


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[object, str, str]:
    """Run the command line as its entry point does; return exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["tocsin", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    told = capsys.readouterr()
    return stop.value.code, told.out, told.err


@pytest.fixture(name="tell")
def _tell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Run a command."""
    return lambda *words: run(capsys, monkeypatch, *words)


SAID = [
    (["incidents", "list"], ["inc-0001", "SEV2", "triage"]),
    (["incidents", "show", "inc-0001"], ["SEV2", "impact    since", "budget burns"]),
    (["oncall", "list"], ["payments", "Ana", "Mon 2023-11-20 09:00"]),
    (["oncall", "show", "payments"], ["Ana", "(weekly)", "covered 100 %", "168 h"]),
    (["oncall", "calendar", "payments"], ["BEGIN:VCALENDAR", "SUMMARY:On call: Ana (Payments)"]),
    (["slo", "status"], ["shop", "50 %", "99 %", "50×"]),
    (["slo", "list", "shop"], ["shop"]),
    (["slo", "report"], ["shop: burning", "99 % over rolling", "Occurrences", "1 % may be bad"]),
    (["slo", "explain", "shop"], ["Open at", "page-fast", "fires:", "bad 50, of 100"]),
    (
        ["slo", "backtest", "shop", "--start", "1699999990000", "--end", "1700000200000"],
        ["6-windows-and-burn-rates", "of a window's budget spent"],
    ),
    (["metrics"], ["shop"]),
    (["metrics", "sh"], ["shop"]),
    (["tags"], ["bad", "name"]),
    (["tags", "bad"], ["0", "1"]),
    (["tags", "bad", "--query", "name,shop,:eq"], ["0", "1"]),
    (
        ["query", "name,shop,:eq,:sum", "--start", "1699999990000", "--end", "1700000200000"],
        ["100"],
    ),
]


@pytest.mark.parametrize(("words", "said"), SAID, ids=[" ".join(words) for words, _ in SAID])
def test_what_there_is_is_said(
    words: list[str], said: list[str], asked: LocalTocsin, tell: Tell
) -> None:
    """Exit code 0, the numbers worded as everywhere."""
    code, out, err = tell(*words)

    assert (code, err) == (0, "")
    for text in said:
        assert text in out


@pytest.mark.parametrize("words", [words for words, _ in SAID if words[0] != "query"], ids=" ".join)
def test_each_has_json(words: list[str], asked: LocalTocsin, tell: Tell) -> None:
    """Scripts read them without scraping columns."""
    code, out, _ = tell(*words, "--json")

    assert code == 0
    assert orjson.loads(out)


EMPTY = [
    (["metrics", "nothing"], "no metric begins with 'nothing'"),
    (["tags", "nothing"], "no values of 'nothing'"),
    (["slo", "list", "nothing"], "no objective 'nothing'"),
    (["slo", "report", "nothing"], "no objective 'nothing'"),
    (["traces", "search", "--service", "nobody"], "no such traces in the last 1h"),
    (["changes", "list"], "no changes in the last 1d"),
    (["query", "name,nothing,:eq"], "no data: nothing between e-1h and now matches"),
]


@pytest.mark.parametrize(("words", "said"), EMPTY, ids=[" ".join(words) for words, _ in EMPTY])
def test_nothing_is_said_and_may_be_a_failure(
    words: list[str], said: str, asked: LocalTocsin, tell: Tell
) -> None:
    """An empty answer that looks like success hides a slip in a name."""
    code, _, err = tell(*words)
    assert code == 0
    assert said in err

    assert tell(*words, "--fail-empty")[0] == 3


WRONG = [
    (["query", "name,shop,:eqq"], 1, "unknown word ':eqq'; did you mean ':eq'?"),
    (["query", "name,shop"], 1, ""),
    (["query", "name,shop,:eq", "--start", "yesterday"], 1, "yesterday"),
    (["tags", "--query", "name,shop"], 1, ""),
    (["incidents", "show", "inc-9"], 4, "there is no incident 'inc-9'"),
    (["incidents", "note", "inc-0001", ""], 1, "a note needs a 'text'"),
    (["traces", "show", "xyz"], 1, "trace id must be"),
    (["traces", "search", "--since", "soon"], 2, "is not a duration"),
    (["changes", "announce", "x", "--scope", "region"], 2, "write KEY=VALUE"),
    (["metrics", "--api-url", "http://127.0.0.1:9"], 4, "can't be reached"),
    (["ring"], 2, "No such command 'ring'"),
    (["gameday", "run", "gremlins"], 2, "'gremlins' can't be played"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[" ".join(w) for w, *_ in WRONG])
def test_errors_are_sentences_with_exit_codes_and_json(
    words: list[str], code: int, said: str, asked: LocalTocsin, tell: Tell
) -> None:
    """Names of Java classes and traces tell people nothing; scripts need one form."""
    got, out, err = tell(*words)
    assert (got, out) == (code, "")
    assert said in err
    assert "Exception" not in err

    got, out, err = tell(*words, "--json")
    assert (got, err) == (code, "")
    assert said in orjson.loads(out)["error"]


def test_an_incident_is_answered_from_the_terminal(tocsin: LocalTocsin, tell: Tell) -> None:
    """On call without a browser."""
    taken = tell("incidents", "ack", "inc-0001", "--actor", "kim")[1]
    assert "inc-0001 [SEV2] is investigating" in taken
    tell("incidents", "note", "inc-0001", "rolled back", "--actor", "kim")
    assert "inc-0001 [SEV2] is resolved" in tell("incidents", "resolve", "inc-0001", "done")[1]

    incident = tocsin.api.incident("inc-0001")
    assert incident["acknowledged_by"] == "kim"
    assert any("rolled back" in entry["text"] for entry in incident["timeline"])
    assert tell("incidents", "list", "--fail-empty")[0] == 3
    assert "inc-0001" in tell("incidents", "list", "--all")[1]


def test_a_change_is_announced_and_listed(tocsin: LocalTocsin, tell: Tell) -> None:
    """A pipeline needs no curl."""
    words = ["changes", "announce", "Deployed 2.4", "--kind", "deploy", "--service", "shop"]
    assert "announced as p-1" in tell(*words, "--id", "p-1", "--scope", "cloud.region=eu")[1]
    assert "known already" in tell(*words, "--id", "p-1", "--scope", "cloud.region=eu")[1]
    (change,) = tocsin.changes.between(0, 1 << 60)
    assert (change.summary, change.scope["cloud.region"]) == ("Deployed 2.4", "eu")


def test_settings_say_where_each_value_comes_from(
    tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who set a value that nobody remembers is the first question when it is wrong."""
    file = tmp_path / "mine.toml"
    file.write_text('step = "5s"\nhost = "::1"\n')
    monkeypatch.setenv("TOCSIN_CONFIG_FILE", str(file))
    monkeypatch.setenv("TOCSIN_HOST", "127.0.0.2")

    found = orjson.loads(tell("settings", "--json", "--sources")[1])

    assert found["host"] == {"value": "127.0.0.2", "source": "environment", "from": "TOCSIN_HOST"}
    assert found["step"] == {"value": "5s", "source": "file", "from": str(file)}
    assert found["api_port"] == {"value": "7101", "source": "default", "from": None}
    assert str(file) in tell("settings")[1]


def test_every_printed_address_says_what_it_is(asked: LocalTocsin) -> None:
    """A person who opens what `serve` printed must not stand before a 404."""
    front = httpx2.get(asked.api.base_url + "/", trust_env=False)

    assert front.status_code == 200
    assert "/api/v2/incidents" in front.text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    """The documented line must give the shell something."""
    done = subprocess.run(
        [Path(sys.executable).parent / "tocsin"],
        env={"_TOCSIN_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "_TOCSIN_COMPLETE" in done.stdout


def test_queries_are_listed_and_one_that_is_gone_is_said_to_be(
    asked: LocalTocsin, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks for what slows a server would see a stack trace, or nothing."""
    del asked
    assert run(capsys, monkeypatch, "queries") == (0, "", "no query is running\n")
    assert run(capsys, monkeypatch, "queries", "--json", "--fail-empty")[:2] == (3, "[]\n")
    code, out, error = run(capsys, monkeypatch, "queries", "--cancel", "17")
    assert (code, out) == (4, "")
    assert "no query 17 is running" in error
