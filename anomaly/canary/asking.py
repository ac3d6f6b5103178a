"""Comparing what an expression gives for two selections of tags, or in two times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anomaly.canary.metric import MetricRule, MetricVerdict, Outcome, judge_metric
from anomaly.canary.score import MARGINAL_SCORE, PASS_SCORE, CanaryResult, score_of
from collectors.errors import InputError, QueryError
from collectors.model import FloatArray, Tags
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window

MAX_METRICS = 50
_SPECIAL = set(",():\\ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side: which tags, and when."""

    tags: Tags
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared.

    Attributes:
        metrics: What is asked of each metric, with its expression.
        control: What is known to be good.
        experiment: What is to be judged.
        weights: Of groups.
        pass_score: From here on it passes.
        marginal_score: From here on it is for a person to say.
    """

    metrics: Sequence[tuple[MetricRule, str]]
    control: Side
    experiment: Side
    weights: Mapping[str, float] = field(default_factory=dict)
    pass_score: float = PASS_SCORE
    marginal_score: float = MARGINAL_SCORE


def compared(asked: Comparison, database: Database) -> CanaryResult:
    """Return how the experiment stands against the control.

    A metric whose expression is wrong is an error of its own; the others are judged.

    Raises:
        InputError: Nothing is asked, too much, or both sides are the same.
    """
    if not asked.metrics:
        raise InputError("no metric is given: name at least one expression to compare")
    if len(asked.metrics) > MAX_METRICS:
        raise InputError(f"{len(asked.metrics)} metrics at once; ask for at most {MAX_METRICS}")
    if asked.control == asked.experiment:
        raise InputError(
            "control and experiment are the same: give them different tags, or different times"
        )
    verdicts = [_judged(rule, expression, asked, database) for rule, expression in asked.metrics]
    return score_of(
        verdicts,
        asked.weights,
        pass_score=asked.pass_score,
        marginal_score=asked.marginal_score,
    )


def _judged(
    rule: MetricRule, expression: str, asked: Comparison, database: Database
) -> MetricVerdict:
    try:
        control = _values(expression, asked.control, database)
        experiment = _values(expression, asked.experiment, database)
    except QueryError as error:
        return MetricVerdict(
            rule=rule, outcome=Outcome.ERROR, reason=error.message, control=0, experiment=0
        )
    return judge_metric(rule, control, experiment)


def _values(expression: str, side: Side, database: Database) -> FloatArray:
    """Return every value of every line, in the order of time within each."""
    values: FloatArray = evaluate(selected(expression, side.tags), database, side.window).values
    return values.ravel()


def selected(expression: str, tags: Tags) -> str:
    """Return ``expression`` of those series only that have some tags.

    >>> selected("name,errors,:eq,:sum", {"service.version": "1.2", "zone": "a"})
    'name,errors,:eq,:sum,service.version,1.2,:eq,zone,a,:eq,:and,:cq'

    Raises:
        InputError: A tag can't be written in the stack language.
    """
    words: list[str] = []
    for key, value in tags.items():
        for part in (key, value):
            if not part or _SPECIAL & set(part):
                raise InputError(f"a tag has no commas, colons, brackets or spaces: {part[:80]!r}")
        words += [key, value, ":eq", *([":and"] if words else [])]
    return ",".join([expression, *words, ":cq"]) if words else expression
