"""``tocsin check-config``: an operator's mistakes with file, line and field."""

import time
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from collectors.errors import DocumentError
from collectors.model import Batch
from demo_stack.slack.app import slack_app
from demo_stack.slack.server import serving
from tocsin.cli import group
from tocsin.configuration.checks import starting_configuration
from tocsin.settings import Settings
from tocsin.testing import local_tocsin

OPS = Path(__file__).parents[3] / "demo_stack" / "ops"

BAD_FILES = [
    ("slos/a.yaml", "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: A B\n", "metadata.name"),
    ("detectors/b.yaml", "apiVersion: tocsin/v1\nkind: Detector\nspec: {}\n", "metadata"),
    ("runbooks/c.yaml", "name: Not A Name\n", ""),
    ("scrape.yaml", "scrape_configs:\n  - scrape_interval: 5s\n", "scrape_configs"),
    ("routes.yaml", "default: []\n", "default"),
]


def check(directory: Path) -> tuple[int, dict[str, object]]:
    """Run the command and return its exit code and JSON answer."""
    arguments = ["check-config", "--json", "--config-dir", str(directory)]
    result = CliRunner().invoke(group, arguments)
    answer: dict[str, object] = orjson.loads(result.output)
    return result.exit_code, answer


def test_the_demo_platforms_own_configuration_is_in_order() -> None:
    """What we ship as an example passes."""
    assert check(OPS) == (0, {"ok": True, "problems": []})


@pytest.mark.parametrize(("name", "text", "field"), BAD_FILES)
def test_a_mistake_is_told_with_its_place(name: str, text: str, field: str, tmp_path: Path) -> None:
    """Exit code 3; the problem names the file, a line and the field."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)

    code, answer = check(tmp_path)

    problems = answer["problems"]
    assert code == 3
    assert isinstance(problems, list)
    assert problems[0]["file"] == str(file)
    assert problems[0]["line"] >= 1
    assert field in problems[0]["field"]
    assert problems[0]["message"]


def test_every_file_is_looked_at(tmp_path: Path) -> None:
    """One bad file does not hide another."""
    for name, text, _ in BAD_FILES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    _, answer = check(tmp_path)

    problems = answer["problems"]
    assert isinstance(problems, list)
    found = {Path(p["file"]).relative_to(tmp_path).as_posix() for p in problems}
    assert found == {name for name, _, _ in BAD_FILES}


def test_a_missing_directory_is_a_problem(tmp_path: Path) -> None:
    """A typo in TOCSIN_CONFIG_DIR must not mean that nothing is watched."""
    code, answer = check(tmp_path / "nowhere")

    assert code == 3
    assert "no such directory" in str(answer["problems"])


SLO = (OPS / "slos" / "gateway-latency.yaml").read_text()
SILENT = [
    ("slo/a.yaml", SLO, "(directory)", "did you mean slos/?"),
    ("Detectors/a.yaml", "", "(directory)", "did you mean detectors/?"),
    ("slos.yaml", SLO, "(file)", "did you mean slos/?"),
    ("routes.yml", "", "(file)", "did you mean routes.yaml?"),
    ("slos/team/a.yaml", SLO, "(directory)", "move its files up"),
    ("slos/b.yam", SLO, "(file)", ".yaml, .yml, .json"),
    ("runbooks/README.md", "", "(directory)", "holds no document"),
    (
        "routes.yaml",
        "default: [{notifier: slak, channel: x}]\n",
        "default[0].notifier",
        "did you mean 'slack'?",
    ),
    (
        "routes.yaml",
        (
            "default: [{notifier: slack, channel: x}]\n"
            "routes: [{name: a, match: {cloud.regoin: eu}, to: [{notifier: slack, channel: y}]}]\n"
        ),
        "routes[0].match.cloud.regoin",
        "did you mean 'cloud.region'?",
    ),
    (
        "detectors/c.yaml",
        (
            "apiVersion: tocsin/v1\nkind: Detector\nmetadata: {name: c}\n"
            "spec: {detector: level, expr: 'name,c,:eq,:summ'}\n"
        ),
        "spec.expr",
        "can't be evaluated: unknown word ':summ'",
    ),
]


@pytest.mark.parametrize(("name", "text", "field", "hint"), SILENT)
def test_what_would_be_silent_is_refused(
    name: str, text: str, field: str, hint: str, tmp_path: Path
) -> None:
    """A folder that nobody reads or a route that never matches would be noticed in an outage."""
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "good.yaml").write_text(SLO)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)

    code, answer = check(tmp_path)

    problems = answer["problems"]
    assert code == 3
    assert isinstance(problems, list)
    assert [problem["field"] for problem in problems] == [field]
    assert hint in problems[0]["message"]


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    """Notes, version control and a data directory may stand beside the configuration."""
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "good.yaml").write_text(SLO)
    for name in ("data", ".git", "docs", "scripts"):
        (tmp_path / name).mkdir()
    for name in ("README.md", "notes.yaml", "telemetry-schema.yaml", "slos/README.md"):
        (tmp_path / name).write_text("")

    assert check(tmp_path) == (0, {"ok": True, "problems": []})


def test_a_server_waits_on_a_bare_directory(tmp_path: Path) -> None:
    """It would not start before the first file stands, or start and say that all is well."""
    read, problems = starting_configuration(tmp_path)
    assert not any(one.source for several in read.definitions.values() for one in several)
    assert "holds nothing that is read" in problems[0].message
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DocumentError, match="holds nothing that is read"):
        starting_configuration(tmp_path)


def test_an_empty_directory_is_a_problem(tmp_path: Path) -> None:
    """A directory of another project would mean that nothing is watched."""
    code, answer = check(tmp_path)

    assert code == 3
    assert "holds nothing that is read" in str(answer["problems"])


TOKEN, SECRET = "xoxb-local", "shared"


@pytest.mark.parametrize("channel", ["incidents", "nowhere"])
def test_a_running_server_and_slack_are_asked_on_request(
    channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip in a metric's or a channel's name would show only in the outage."""
    ops = tmp_path / "ops"
    (ops / "slos").mkdir(parents=True)
    (ops / "slos" / "good.yaml").write_text(SLO)
    (ops / "routes.yaml").write_text(f"default: [{{notifier: slack, channel: {channel}}}]\n")
    settings = Settings(data_dir=tmp_path / "data", history="off")
    slack = partial(slack_app, token=TOKEN, signing_secret=SECRET, now=time.time)
    with local_tocsin(settings) as tocsin, serving(lambda _: slack()) as slack_url:
        monkeypatch.setenv("TOCSIN_API_URL", tocsin.api.base_url)
        monkeypatch.setenv("TOCSIN_SLACK_BOT_TOKEN", TOKEN)
        monkeypatch.setenv("TOCSIN_SLACK_SIGNING_SECRET", SECRET)
        monkeypatch.setenv("TOCSIN_SLACK_BASE_URL", f"{slack_url}/api/")
        tags = {"name": "http.server.request.durations", "atlas.dstype": "gauge"}
        tocsin.run(1, lambda at: gauge(tags, at))
        arguments = ["check-config", "--json", "--online", "--config-dir", str(ops)]
        result = CliRunner().invoke(group, arguments)

    answer = orjson.loads(result.output)
    warned = [warning["message"] for warning in answer["warnings"]]
    assert len(warned) == 2
    assert "did you mean http.server.request.durations?" in warned[0]
    missing = [f"Slack lists no channel {channel!r}"] * (channel == "nowhere")
    assert [problem["message"].partition(":")[0] for problem in answer["problems"]] == missing
    assert result.exit_code == (3 if missing else 0)


def gauge(tags: dict[str, str], at_ms: int) -> Batch:
    """Return one value of one series."""
    return Batch(
        series=[tags],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.full(1, at_ms, dtype=np.int64),
        value=np.ones(1),
    )
