"""The rooms inside ``anomaly`` import one way: api, kinds → health, rules → slo → ground."""

from __future__ import annotations

from tests.architecture.house import ROOT, against, file_imports, text_constants

GROUND = {""}
"""Findings, those that are open and groups of lines: files that stand in no room."""

ALLOWED: dict[str, set[str]] = {
    "": set(),
    # Hours in, a season out.
    "seasons": set(),
    # Arrays in, verdicts out: detectors know neither rules nor findings.
    "detectors": {"seasons"},
    # Arrays and a graph in, suspects out.
    "causes": set(),
    "causes/commits": set(),
    "detectors/novelty": {"detectors"},
    # What is usual in the course of a day is novelty's.
    "detectors/change": {"detectors", "detectors/novelty"},
    "detectors/combined": {"detectors", "detectors/change", "detectors/novelty"},
    # Samples in, a verdict out; a forecast of a line. Neither knows rules or findings.
    "canary": set(),
    "forecast": set(),
    # Queries in, frames out, and what has to be listened to.
    "promql": GROUND,
    "evidence": GROUND | {"causes", "promql"},
    "slo": GROUND | {"evidence", "promql"},
    "slo/documents": GROUND | {"evidence", "promql", "slo"},
    # Policies tried on what was: they need no rule and no engine.
    "slo/backtest": GROUND | {"evidence", "slo"},
    "rules": GROUND | {"detectors", "evidence", "promql", "slo"},
    "health": GROUND | {"detectors", "evidence", "rules", "slo"},
    "inspections": GROUND | {"evidence", "rules", "slo"},
    # Rules in PromQL ask the store themselves; their templates and their unit tests are pure.
    "prometheus_rules/templates": set(),
    "prometheus_rules": GROUND | {"evidence", "prometheus_rules/templates", "promql", "rules"},
    "prometheus_rules/unit_tests": {"prometheus_rules", "prometheus_rules/templates"},
    "kinds": GROUND | {"detectors", "health", "inspections", "prometheus_rules", "rules", "slo"},
    "engine": GROUND | {"evidence", "promql", "rules"},
    "api": GROUND
    | {"canary", "engine", "evidence", "forecast", "health", "kinds", "prometheus_rules"}
    | {"rules", "slo"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""

DETECTORS = ROOT / "anomaly" / "detectors"


def test_rooms_import_in_the_direction_of_the_house() -> None:
    """A detector that knows rules, or a rule that knows the engine, can't be tested by itself."""
    assert against(ALLOWED, "anomaly") == []


def test_the_engine_knows_no_kinds_of_rules() -> None:
    """Of the rules it imports protocols alone, so that a new kind needs no edit of it."""
    imports = file_imports()
    known = {
        other
        for module in imports
        if module.startswith("anomaly.engine")
        for other in imports[module]
        if other.startswith("anomaly.rules.")
    }

    assert known == {"anomaly.rules.ground", "anomaly.rules.rule"}


def test_names_of_detectors_stand_in_their_own_files() -> None:
    """Code that knows a detector by its name would have to be edited for the next one."""
    files = {file.stem: file for file in DETECTORS.glob("*.py")}
    names = {name for name, file in files.items() if "\nDETECTOR = " in file.read_text()}
    named = {
        f"{file.relative_to(ROOT)}: {constant}"
        for file in (ROOT / "anomaly").rglob("*.py")
        for constant in names & text_constants(file)
        if file != files[constant]
    }

    assert len(names) > 1
    assert named == set()
