"""What people call noise makes its detector less sensitive: visibly, and until it is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import detectors
from anomaly.detectors.sensitivity import less_sensitive, sensitivity
from collectors.model import Batch
from tests.tocsin.configuration.test_reload import DETECTOR, settings, write
from tests.tocsin.test_asking_commands import run
from tocsin.client.errors import AnswerError, RefusedError
from tocsin.client.shapes import Finding
from tocsin.testing import LocalTocsin, local_tocsin

LEARNING = 40


@pytest.fixture(name="server")
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    """A server whose detector has found something."""
    write(tmp_path / "ops", "shop")
    folder = tmp_path / "ops" / "detectors"
    folder.mkdir()
    (folder / "load.yaml").write_text(DETECTOR)
    with local_tocsin(settings(tmp_path)) as running:
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        running.run(LEARNING, lambda at_ms: load(at_ms, 100.0 + at_ms // 10_000 % 3))
        running.run(3, lambda at_ms: load(at_ms, 160.0))
        yield running


def load(time_ms: int, value: float) -> Batch:
    return Batch(
        series=[{"name": "load", "atlas.dstype": "gauge"}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.full(1, time_ms, dtype=np.int64),
        value=np.array([value]),
    )


def found(server: LocalTocsin, rule: str) -> Finding:
    return next(f for f in server.api.findings() if f["rule"].startswith(rule))


def score(server: LocalTocsin) -> float:
    [row] = server.api.detectors()
    assert row["score"] is not None
    return row["score"]


def test_a_mark_raises_the_threshold_until_it_is_withdrawn(
    server: LocalTocsin,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The score that counts from 1 is a quarter smaller, and afterwards what it was."""
    finding = found(server, "detector/load")
    before = score(server)
    words = ["noise", "mark", finding["id"], "--reason", "a load test", "--actor", "ana"]
    code, told, _ = run(capsys, monkeypatch, *words)
    assert (code, told.split(": ")[1]) == (0, "detector/load takes more from now on\n")
    assert score(server) == pytest.approx(before / 1.25)
    path = [step["text"] for step in server.api.alerts.why(finding["id"])["path"]]
    assert "ana called noise what detector/load found: a load test" in path
    _, listed, _ = run(capsys, monkeypatch, "noise", "list")
    assert "a load test" in listed
    [mark] = server.api.noise.all()
    code, told, _ = run(capsys, monkeypatch, "noise", "withdraw", mark["id"])
    assert (code, told) == (0, "detector/load is as sensitive as before\n")
    assert score(server) == pytest.approx(before)
    _, _, empty = run(capsys, monkeypatch, "noise", "list")
    assert empty == "nothing was called noise\n"
    with pytest.raises(RefusedError, match="was withdrawn"):
        server.api.noise.withdraw(mark["id"])


def test_what_is_refused(server: LocalTocsin) -> None:
    """Nothing is made quiet without a reason, twice, or where there is no threshold."""
    finding = found(server, "detector/load")
    with pytest.raises(AnswerError, match="'reason' is missing"):
        server.api.noise.mark(finding["id"], reason=" ", actor="ana")
    with pytest.raises(AnswerError, match="there is no finding 'nobody'"):
        server.api.noise.mark("nobody", reason="r", actor="ana")
    server.api.noise.mark(finding["id"], reason="r", actor="ana")
    with pytest.raises(RefusedError, match="was called noise before"):
        server.api.noise.mark(finding["id"], reason="r", actor="ana")
    silent = found(server, "slo/shop")
    with pytest.raises(AnswerError, match="is no detector, and has no threshold"):
        server.api.noise.mark(silent["id"], reason="r", actor="ana")


@pytest.mark.parametrize("name", sorted(detectors()))
def test_every_detector_can_be_made_less_sensitive(name: str) -> None:
    """A detector of which nothing is known to raise would take marks without a change."""
    parameters: Parameters = detectors()[name].parameters()
    first = sensitivity(parameters)
    assert first
    once, always = less_sensitive(parameters, 1), less_sensitive(parameters, 1_000)
    assert sensitivity(once) != first
    assert less_sensitive(parameters, 0) == parameters
    for setting, value in sensitivity(always).items():
        assert value in (100, 0.001), setting
