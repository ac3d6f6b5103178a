"""What the client promises of runs is what the server sends."""

from __future__ import annotations

from tests.tocsin.client.test_shapes import differences, returned_by
from tocsin.client.response.runs import RunsOfRunbooks
from tocsin.testing import LocalTocsin


def test_runs_have_their_shape(paged: LocalTocsin) -> None:
    """Begun, rehearsed, listed, read and decided about."""
    api = paged.api
    incident = api.incidents()[0]["id"]
    runbook = api.runbooks()[0]["name"]
    run = api.begin_run(runbook, incident, actor="ana", reason="to see")
    decided = api.decide_run(run["id"], "abort", actor="bo")
    answers: dict[str, object] = {
        "begin_run": run,
        "rehearse_run": api.rehearse_run(runbook, incident),
        "runs": api.runs(incident_id=incident),
        "run": api.run(run["id"]),
        "decide_run": decided,
    }
    wrong = {
        name: [*differences(returned_by(getattr(RunsOfRunbooks, name)), answer)]
        for name, answer in answers.items()
    }
    assert wrong == {name: [] for name in answers}
    assert decided["state"] == "aborted"
