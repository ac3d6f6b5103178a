"""What metrics say of a finding beside the calls, and where there are none."""

from __future__ import annotations

from anomaly.evidence.accusing import accusing, suspect_words
from anomaly.evidence.blaming import NO_BLAME, STEP_MS, Blame
from anomaly.evidence.by_metrics import MetricsOnce, moved_with
from anomaly.evidence.vanished import with_who_vanished
from anomaly.findings import FindingKind, Suspect
from anomaly.testing import TableDatabase, example_finding
from tests.anomaly.evidence.test_blaming import ONSET_MS, Traffic

_STEP = 10_000
_ONSET = 1_700_000_000_000 // _STEP * _STEP
FINDING = example_finding(
    scope={"service.name": "web", "cloud.region": "north"},
    started_ms=_ONSET,
    updated_ms=_ONSET + 4 * _STEP,
)


def database(*, from_step: int = 1, factor: float = 20.0) -> TableDatabase:
    """Return a shop that nobody traces: its queue grows in the north, nothing in the south."""
    table = TableDatabase(_STEP)
    for step in range(-70, 6):
        time_ms = _ONSET + step * _STEP
        bad = factor if step >= from_step else 1.0
        for region in ("north", "south"):
            where = {"cloud.region": region}
            grown = bad if region == "north" else 1.0
            for service, name, value in (
                ("queue", "backlog", 30.0 * grown),
                ("web", "orders", 12.0),
            ):
                table.put({"name": name, "service.name": service, **where}, time_ms, value)
    return table


def test_without_any_call_metrics_accuse_and_there_is_no_path() -> None:
    """Who sends no traces would be left with nothing, or with a path that somebody made up."""
    moved = moved_with(MetricsOnce(database()), FINDING)
    found = accusing(FINDING, (), NO_BLAME, moved)
    (one,) = found.suspects
    assert (one.service, one.share, one.path) == ("queue", 1.0, ())
    assert one.against == ("no trace tells how it is reached, so there is no path",)
    assert "its backlog is 600 since " in one.reason
    assert found.explanation.endswith(f"Suspects by its metrics: {suspect_words(one)}.")
    assert found.values["suspect.queue"] == 1.0


def test_other_regions_are_left_out() -> None:
    """What happens elsewhere at the same time would be accused."""
    south = example_finding(
        scope={"cloud.region": "south"}, started_ms=_ONSET, updated_ms=_ONSET + 4 * _STEP
    )
    moved = moved_with(MetricsOnce(database()), south)
    assert (moved.services, moved.compared) == ((), 2)
    found = accusing(south, (), NO_BLAME, moved)
    assert found.explanation == "It burns. Of 2 services with metrics none has moved with it."


def test_a_metric_of_a_suspect_is_further_evidence() -> None:
    """Calls say who is slow; its own numbers say why."""
    by_calls = Blame(suspects=(Suspect(service="queue", share=1.0, reason="slow"),), known=3)
    moved = moved_with(MetricsOnce(database()), FINDING)
    (one,) = accusing(FINDING, (), by_calls, moved).suspects
    assert one.reason.startswith("slow; its backlog is 600 since ")


def test_data_that_vanish_while_calls_go_on_accuse_what_reports_them() -> None:
    """Whoever is woken would look at a service that is well."""
    finding = example_finding(
        kind=FindingKind.NO_DATA,
        scope={"service.name": "playback"},
        started_ms=ONSET_MS,
        updated_ms=ONSET_MS + 4 * STEP_MS,
    )
    (one,) = with_who_vanished(finding, Traffic()).suspects
    assert one.service == "telemetry"
    assert one.reason.startswith("calls of playback go well, 120 in 5 s, usually 120")
    ill = Traffic(errors={"playback": 1.0, "licences": 1.0})
    told = with_who_vanished(finding, ill)
    assert told.suspects == ()
    assert told.explanation.startswith(
        "It burns. Calls that go well have stopped as well: 0 in 5 s"
    )
    assert with_who_vanished(finding, None) is finding
    other = example_finding(kind=FindingKind.NO_DATA, scope={"service.name": "unheard of"})
    assert with_who_vanished(other, Traffic()) is other
