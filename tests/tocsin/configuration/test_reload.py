"""Reading the configuration again: in process with time in hand, and a real SIGHUP."""

import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collectors.model import Batch
from tests.tocsin.test_serve import eventually, publish, server
from tocsin.client.errors import RefusedError
from tocsin.client.shapes import Slo
from tocsin.configuration.changes import differences
from tocsin.configuration.reading import read_configuration
from tocsin.duration import Duration
from tocsin.settings import Settings
from tocsin.testing import LocalTocsin, local_tocsin

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {name}
  timeWindow: [{{duration: 1d, isRolling: true}}]
  budgetingMethod: Occurrences
  indicator:
    metadata: {{name: {name}-ratio}}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: tocsin
            spec: {{query: 'name,{name},:eq,bad,1,:eq,:and,:sum'}}
        total:
          metricSource:
            type: tocsin
            spec: {{query: 'name,{name},:eq,:sum'}}
  objectives: [{{target: {target}}}]
"""
DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: load}
spec: {expr: 'name,load,:eq,:sum', detector: level}
"""


def write(directory: Path, name: str, target: str = "0.99") -> None:
    """Write an objective's file."""
    folder = directory / "slos"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(SLO.format(name=name, target=target))


def settings(directory: Path) -> Settings:
    """Return settings without history whose configuration is in ``directory``/ops."""
    return Settings(
        data_dir=directory / "data",
        config_dir=directory / "ops",
        history="off",
        step=Duration(10_000),
    )


def failing(name: str) -> Callable[[int], Batch]:
    """Return traffic of which half is bad."""

    def traffic(time_ms: int) -> Batch:
        return Batch(
            series=[
                {"name": name, "bad": "1", "atlas.dstype": "gauge"},
                {"name": name, "bad": "0", "atlas.dstype": "gauge"},
            ],
            series_index=np.arange(2, dtype=np.int32),
            time_ms=np.full(2, time_ms, dtype=np.int64),
            value=np.array([50.0, 50.0]),
        )

    return traffic


def rows(tocsin: LocalTocsin) -> dict[str, Slo]:
    """Return the objectives by name."""
    return {row["name"]: row for row in tocsin.api.slos()}


def test_what_did_not_change_keeps_its_state_and_what_is_new_knows_the_past(tmp_path: Path) -> None:
    """A reload that forgot would go blind for the length of every window, or page twice."""
    write(tmp_path / "ops", "kept")
    with local_tocsin(settings(tmp_path)) as tocsin:
        tocsin.run(12, failing("kept"))
        before = rows(tocsin)["kept"]
        opened = tocsin.api.findings()
        write(tmp_path / "ops", "twin")
        text = (tmp_path / "ops/slos/twin.yaml").read_text().replace("name,twin", "name,kept")
        (tmp_path / "ops/slos/twin.yaml").write_text(text)

        assert tocsin.api.reload()["changes"] == ["slo twin added"]

        after = rows(tocsin)
        assert after["kept"] == before
        assert after["twin"]["good_ratio"] == pytest.approx(0.5)
        assert [f for f in tocsin.api.findings() if "kept" in f["rule"]] == opened
        assert any("twin" in f["rule"] for f in tocsin.api.findings())


def test_what_is_gone_ends_and_says_that_it_did_not_get_well(tmp_path: Path) -> None:
    """An incident about a rule that nobody watches any more would stay open for ever."""
    write(tmp_path / "ops", "gone")
    write(tmp_path / "ops", "kept")
    with local_tocsin(settings(tmp_path)) as tocsin:
        tocsin.run(12, failing("gone"))
        assert tocsin.api.findings()
        (tmp_path / "ops/slos/gone.yaml").unlink()

        assert tocsin.api.reload()["changes"] == ["slo gone removed"]

        assert [f for f in tocsin.api.findings() if "gone" in f["rule"]] == []
        ended = [f for f in tocsin.api.findings(state="all") if f["state"] == "resolved"]
        assert "not watched any more" in ended[0]["explanation"]


def test_mistakes_leave_the_old_configuration_running_and_are_told(tmp_path: Path) -> None:
    """A slip of an editor must not stop what pages people, nor stay unnoticed."""
    write(tmp_path / "ops", "kept")
    with local_tocsin(settings(tmp_path)) as tocsin:
        tocsin.run(3, failing("kept"))
        (tmp_path / "ops/slos/kept.yaml").write_text("kind: SLOO\n")
        (tmp_path / "ops/detector").mkdir()

        with pytest.raises(RefusedError) as refused:
            tocsin.api.reload()

        assert "kept.yaml:1: kind" in refused.value.message
        assert "did you mean detectors/" in refused.value.message
        health = tocsin.api.health()
        assert health["status"] == "degraded"
        assert len(health["configuration"]["problems"]) == len(refused.value.message.split("\n"))
        assert list(rows(tocsin)) == ["kept"]
        write(tmp_path / "ops", "kept")
        (tmp_path / "ops/detector").rmdir()
        assert tocsin.api.reload()["changes"] == []
        assert tocsin.api.health()["status"] == "ok"


def test_routes_runbooks_and_impact_follow(tmp_path: Path) -> None:
    """Who changed a route would be paged the old way until the next start."""
    ops = tmp_path / "ops"
    write(ops, "kept")
    with local_tocsin(settings(tmp_path)) as tocsin:
        (ops / "routes.yaml").write_text("default: [{notifier: console, channel: stdout}]\n")
        (ops / "runbooks").mkdir()
        (ops / "runbooks/own.yaml").write_text(
            "name: own\ntitle: Own\napplies_to: [{rule: 'slo/*'}]\n"
            "steps: [{id: look, title: Look, kind: manual}]\n"
        )

        changes = tocsin.api.reload()["changes"]

        assert changes == ["runbook own added", "routes changed"]
        assert "own" in [runbook["name"] for runbook in tocsin.api.runbooks()]
        assert tocsin.desk.ledger.routes.default[0].channel == "stdout"


def test_differences_tell_each_thing_once(tmp_path: Path) -> None:
    """Lines that moved within a file are no change; a changed target is."""
    write(tmp_path, "a")
    before = read_configuration(tmp_path)
    file = tmp_path / "slos/a.yaml"
    file.write_text(f"# a comment\n{file.read_text()}")
    assert differences(before, read_configuration(tmp_path)) == ()

    write(tmp_path, "a", target="0.999")
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors/load.yaml").write_text(DETECTOR)

    assert differences(before, read_configuration(tmp_path)) == (
        "slo a changed",
        "detector load added",
    )


@pytest.mark.processes
@pytest.mark.patient
def test_a_real_hangup_reloads_and_does_not_kill(tmp_path: Path) -> None:
    """A terminal that closes or a `systemctl reload` would take the alarm bell away."""
    ops = tmp_path / "ops"
    write(ops, "first")
    with server(tmp_path, TOCSIN_CONFIG_DIR=str(ops), TOCSIN_HISTORY="off") as running:
        write(ops, "second")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: running.get("/health")["configuration"]["changes"] != [])
        assert running.get("/health")["configuration"]["changes"] == ["slo second added"]

        (ops / "slos/second.yaml").write_text("apiVersion: openslo/v1\nkind: SLO\n")
        running.process.send_signal(signal.SIGHUP)
        eventually(lambda: running.get("/health")["configuration"]["refused"])

        names = {row["name"] for row in running.get("/api/v2/slos")["slos"]}
        assert names == {"first", "second"}
        assert publish(running, "alive", 1.0) == 200
    log = running.complaint
    assert "configuration refused; the one before stays in force" in log
    assert "second.yaml:1" in log
