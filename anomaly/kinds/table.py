"""The kinds of rules there are. A new kind is a file of its own and an entry in ``RULE_KINDS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from anomaly.detectors.warm import warm
from anomaly.health.definition import HealthDefinition
from anomaly.health.reading import HealthFile, load_health
from anomaly.health.rule import HealthRule
from anomaly.inspections.reading import (
    InspectionFile,
    InspectionSettingsFile,
    load_inspections,
    stock,
)
from anomaly.inspections.rule import InspectionRule
from anomaly.prometheus_rules.group_rule import GroupRule
from anomaly.prometheus_rules.loading import load_groups
from anomaly.prometheus_rules.shapes import RulesFile, RulesResourceFile
from anomaly.rules.detector_reader import detector_files
from anomaly.rules.detector_rule import DetectorRule
from anomaly.rules.loading import load_detectors, load_objectives
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Rule
from anomaly.slo.documents.openslo import KINDS
from collectors.documents.section import Context, Section
from collectors.promql.evaluation.warm import warm as warm_promql

D = TypeVar("D")
Definitions = Mapping[str, Sequence[Any]]
"""What documents define, by the name of their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKind(Generic[D]):
    """One kind of rules.

    Attributes:
        name: What such rules are called together: the directory of their documents below the
            configuration directory, and the path and the key of their state in the API.
        document: What one document is called.
        configures: What such rules are for, in a sentence.
        shapes: Returns the shapes that a document may have.
        load: Returns what all documents of a directory define; nothing if it does not exist.
        make: Makes the rule of one definition, for a step in milliseconds.
        stock: Returns what is defined without any directory.
        prepare: Called once at a start if there are such rules.
    """

    name: str
    document: str
    configures: str
    shapes: Callable[[], Sequence[type[Section]]]
    load: Callable[[Path, Context], Sequence[D]]
    make: Callable[[D, int], Rule[Any]]
    stock: Callable[[], Sequence[D]] = tuple
    prepare: Callable[[], None] = lambda: None


RULE_KINDS: Sequence[RuleKind[Any]] = (
    RuleKind(
        name=ObjectiveRule.kind,
        document="slo",
        configures="Service level objectives in OpenSLO: what is promised. Pages when too much of "
        "the error budget burns.",
        shapes=lambda: tuple(KINDS.values()),
        load=load_objectives,
        make=ObjectiveRule,
    ),
    RuleKind(
        name=DetectorRule.kind,
        document="detector",
        configures="Detector rules: what should stay as usual, and how loud it is when it does "
        "not.",
        shapes=lambda: tuple(detector_files().values()),
        load=load_detectors,
        make=DetectorRule,
        prepare=warm,  # so that loading the kernels is part of the start and not of the first step
    ),
    RuleKind(
        name=HealthRule.kind,
        document="health",
        configures="Learned health of services: which are left out, and what a red one means. It "
        "needs no file.",
        shapes=lambda: (HealthFile,),
        load=load_health,
        make=HealthRule,
        stock=lambda: (HealthDefinition(),),
        prepare=warm,
    ),
    RuleKind(
        name=InspectionRule.kind,
        document="inspection",
        configures="Inspections: thresholds for well-known metrics. Those in stock hold without a "
        "file; here they are switched off or changed, and others added.",
        shapes=lambda: (InspectionFile, InspectionSettingsFile),
        load=load_inspections,
        make=InspectionRule,
        stock=stock,
    ),
    RuleKind(
        name=GroupRule.kind,
        document="prometheus-rules",
        configures="Rule files of Prometheus, as they are: recording and alerting rules in PromQL.",
        shapes=lambda: (RulesFile, RulesResourceFile),
        load=load_groups,
        make=GroupRule,
        prepare=warm_promql,
    ),
)


def make_rules(
    definitions: Definitions, step_ms: int, kinds: Sequence[RuleKind[Any]] = RULE_KINDS
) -> tuple[Rule[Any], ...]:
    """Return the rules of ``definitions``, ready to run.

    Args:
        definitions: By the name of their kind.
        step_ms: Length of a step.
        kinds: Which kinds there are.
    """
    rules: list[Rule[Any]] = []
    for kind in kinds:
        defined = definitions.get(kind.name, ())
        if defined:
            kind.prepare()
        rules += [kind.make(definition, step_ms) for definition in defined]
    return tuple(rules)
