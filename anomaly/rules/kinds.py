"""The kinds of rules there are. A new kind is a file of its own and an entry in ``RULE_KINDS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from anomaly.detectors.warm import warm
from anomaly.rules.detector_reader import read_rules
from anomaly.rules.detector_rule import DetectorRule
from anomaly.rules.loading import load_detectors, load_objectives, mistakes
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Rule
from anomaly.slo.documents.openslo_reader import read_openslo
from collectors.errors import ConfigError

D = TypeVar("D")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKind(Generic[D]):
    """One kind of rules.

    Attributes:
        name: What such rules are called together: the directory of their documents below the
            configuration directory, and the path and the key of their state in the API.
        read: Reads one document: its text, then its path for messages.
        load: Returns what all documents of a directory define; nothing if it does not exist.
        make: Makes the rule of one definition, for a step in milliseconds.
        prepare: Called once at a start if there are such rules.
    """

    name: str
    read: Callable[[str, str], object]
    load: Callable[[Path], Sequence[D]]
    make: Callable[[D, int], Rule[Any]]
    prepare: Callable[[], None] = lambda: None


RULE_KINDS: Sequence[RuleKind[Any]] = (
    RuleKind(
        name=ObjectiveRule.kind,
        read=lambda text, file: read_openslo(text, file=file),
        load=load_objectives,
        make=ObjectiveRule,
    ),
    RuleKind(
        name=DetectorRule.kind,
        read=lambda text, file: read_rules(text, file=file),
        load=load_detectors,
        make=DetectorRule,
        prepare=warm,  # so that loading the kernels is part of the start and not of the first step
    ),
)


def load_rules(
    directory: Path, step_ms: int, kinds: Sequence[RuleKind[Any]] = RULE_KINDS
) -> tuple[Rule[Any], ...]:
    """Return all rules below a configuration directory, ready to run.

    Args:
        directory: Holds a directory for each kind.
        step_ms: Length of a step.
        kinds: Which kinds there are.

    Raises:
        ConfigError: A document is wrong; names the file, the line and the field.
    """
    rules: list[Rule[Any]] = []
    for kind in kinds:
        definitions = kind.load(directory / kind.name)
        if definitions:
            kind.prepare()
        rules += [kind.make(definition, step_ms) for definition in definitions]
    return tuple(rules)


def check_rules(
    directory: Path, kinds: Sequence[RuleKind[Any]] = RULE_KINDS
) -> tuple[ConfigError, ...]:
    """Return what is wrong below a configuration directory, for ``check-config``.

    Args:
        directory: Holds a directory for each kind.
        kinds: Which kinds there are.
    """
    return tuple(
        error for kind in kinds for error in mistakes(directory / kind.name, kind.read, kind.load)
    )
