"""Faults as chaostoolkit experiments: one JSON file each, under ``experiments/``.

The format is chaostoolkit-lib's (``title``, ``description``, ``steady-state-hypothesis``,
``method``, ``rollbacks``); what the truth file says of the fault stands in ``extensions``. The
supervisor runs the same files itself, and ``chaos run`` can run them from outside: the actions
that they name are functions of :mod:`demo_stack.chaos.actions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from demo_stack.chassis.errors import LayoutError

EXPERIMENTS_DIR = Path(__file__).parent / "experiments"
OPERATIONS_DIR = Path(__file__).parent / "operations"
SCENARIOS_DIR = Path(__file__).parent / "scenarios"
TRUTH_EXTENSION = "ground-truth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do.

    Attributes:
        name: A function of :mod:`demo_stack.chaos.actions`.
        arguments: Its arguments, configuration already filled in.
        pause_s: Wait this long afterwards, in seconds.
        title: What the file calls this step.
    """

    name: str
    arguments: Mapping[str, Any]
    pause_s: float = 0.0
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A fault that can be injected and taken back.

    Attributes:
        name: The file's name without ending.
        title: For people.
        description: What happens, and why one would want to know.
        kind: ``fault``, or ``benign`` for an operation that must not page.
        component: The service or thing that is at fault.
        scope: Tags that narrow down where, such as ``cloud.region``.
        expected_impact: What viewers notice.
        seen_as: Services as which telemetry shows the component, where that is not its own name.
        paths: Ways on which viewers feel it, each from where they come in down to the component.
        hard: Whether it breaks much at once.
        method: How to inject it.
        rollbacks: How to take it back.
    """

    name: str
    title: str
    description: str
    kind: str
    component: str
    scope: Mapping[str, str]
    expected_impact: str
    seen_as: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    hard: bool = False
    method: tuple[Action, ...]
    rollbacks: tuple[Action, ...]


def load_experiments(directory: Path = EXPERIMENTS_DIR) -> dict[str, Experiment]:
    """Return every experiment of ``directory`` by name.

    ``EXPERIMENTS_DIR`` holds faults, ``OPERATIONS_DIR`` what is done in any week and must not page,
    ``SCENARIOS_DIR`` whole stories: their method ends with the remediation.
    """
    return {
        path.stem: parse_experiment(path.stem, orjson.loads(path.read_bytes()))
        for path in sorted(directory.glob("*.json"))
    }


def find_experiment(experiments: Mapping[str, Experiment], name: str) -> Experiment:
    """Return the experiment called ``name``.

    Raises:
        LayoutError: There is none.
    """
    if name not in experiments:
        raise LayoutError(f"no fault {name!r}; there are: {', '.join(experiments)}")
    return experiments[name]


def parse_experiment(name: str, document: Mapping[str, Any]) -> Experiment:
    """Return the experiment that a chaostoolkit document describes."""
    configuration = document.get("configuration", {})
    truth = next(
        extension for extension in document["extensions"] if extension["name"] == TRUTH_EXTENSION
    )
    return Experiment(
        name=name,
        title=document["title"],
        description=document["description"],
        kind=truth.get("kind", "fault"),
        component=truth["component"],
        scope=_fill(truth["scope"], configuration),
        expected_impact=truth["expected_impact"],
        seen_as=tuple(truth.get("seen_as", ())),
        paths=tuple(tuple(str(name) for name in path) for path in truth.get("paths", ())),
        hard=truth.get("hard", False) is True,
        method=_actions(document["method"], configuration),
        rollbacks=_actions(document["rollbacks"], configuration),
    )


def _actions(
    entries: list[Mapping[str, Any]], configuration: Mapping[str, Any]
) -> tuple[Action, ...]:
    return tuple(
        Action(
            name=entry["provider"]["func"],
            arguments=_fill(entry["provider"].get("arguments", {}), configuration),
            pause_s=float(entry.get("pauses", {}).get("after", 0.0)),
            title=str(entry["name"]),
        )
        for entry in entries
        if entry["type"] == "action"
    )


def _fill(values: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Replace ``${name}`` by the configuration's value, as chaostoolkit does."""
    filled = dict(values)
    for key, value in values.items():
        if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
            filled[key] = configuration[value[2:-1]]
    return filled
