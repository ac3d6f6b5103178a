"""``GET /api/v2/canary``: an experiment held against its control, metric by metric."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.canary.asking import Comparison, Side, compared
from anomaly.canary.metric import Bad, Effect, MetricRule, MetricVerdict
from anomaly.canary.score import MARGINAL_SCORE, PASS_SCORE, CanaryResult
from anomaly.rules.rule import number
from collectors.api.answers import answering, json_response
from collectors.api.graph_request import MAX_COLUMNS, choice, read_zones
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.model import Tags
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.text.times import choose_step_ms, parse_times

PATH = "/api/v2/canary"
_DEFAULT_START, _DEFAULT_END = "e-30m", "now"
_METRICS = {"metric": Bad.EITHER, "increase": Bad.INCREASE, "decrease": Bad.DECREASE}


def canary_routes(
    database: Database, step_ms: int, clock: Clock, workers: Workers | None = None
) -> list[Route]:
    """Return the route that compares.

    Args:
        database: Where the numbers are.
        step_ms: Length of a step.
        clock: What ``now`` means.
        workers: Threads to evaluate in; own ones if None.
    """

    def answer(request: Request) -> Response:
        asked = read_comparison(Parameters.of(request), step_ms, clock.now_ms())
        return json_response(result_row(compared(asked, database)))

    return [Route(PATH, answering(answer, workers or Workers()), methods=["GET"])]


def read_comparison(parameters: Parameters, step_ms: int, now_ms: int) -> Comparison:
    """Read and check the query string.

    Raises:
        QueryError: A parameter is missing or can't be used; the message names it.
    """
    start = parameters.text("s") or _DEFAULT_START
    end = parameters.text("e") or _DEFAULT_END
    experiment = _window(parameters, start, end, step_ms, now_ms)
    control = _window(
        parameters,
        parameters.text("control_s") or start,
        parameters.text("control_e") or end,
        step_ms,
        now_ms,
    )
    passes = _share(parameters, "pass", PASS_SCORE)
    marginal = _share(parameters, "marginal", MARGINAL_SCORE)
    if marginal > passes:
        raise refuse(f"parameter 'marginal', {marginal}, is more than 'pass', {passes}")
    return Comparison(
        metrics=_metrics(parameters),
        control=Side(tags=_tags(parameters, "control"), window=control),
        experiment=Side(tags=_tags(parameters, "experiment"), window=experiment),
        weights={
            group: _number(weight, "weight")
            for group, weight in (_pair(text, "weight") for text in parameters.all("weight"))
        },
        pass_score=passes,
        marginal_score=marginal,
    )


def _window(parameters: Parameters, start: str, end: str, step_ms: int, now_ms: int) -> Window:
    start_ms, end_ms = parse_times(start, end, now_ms, read_zones(parameters)[0])
    step_ms = choose_step_ms(step_ms, MAX_COLUMNS, start_ms, end_ms)
    last_ms = end_ms // step_ms * step_ms
    first_ms = min(start_ms // step_ms * step_ms + step_ms, last_ms)
    return Window(start_ms=first_ms, end_ms=last_ms, step_ms=step_ms)


def _metrics(parameters: Parameters) -> list[tuple[MetricRule, str]]:
    critical, needed = set(parameters.all("critical")), set(parameters.all("must_have_data"))
    groups = dict(_pair(text, "group") for text in parameters.all("group"))
    effect = choice(parameters, "effect", Effect, Effect.MEAN_RATIO)
    increase, decrease = (
        _limit(parameters, name) for name in ("allowed_increase", "allowed_decrease")
    )
    found: list[tuple[MetricRule, str]] = []
    for parameter, bad in _METRICS.items():
        for text in parameters.all(parameter):
            name, expression = _pair(text, parameter)
            rule = MetricRule(
                name=name,
                group=groups.get(name, "all"),
                bad=bad,
                critical=name in critical,
                must_have_data=name in needed,
                effect=effect,
                allowed_increase=increase,
                allowed_decrease=decrease,
            )
            found.append((rule, expression))
    names = {rule.name for rule, _ in found}
    for name in sorted((critical | needed | set(groups)) - names):
        raise refuse(f"{name[:80]!r} is none of the metrics: {', '.join(sorted(names))}")
    return found


def _tags(parameters: Parameters, name: str) -> Tags:
    return dict(_pair(text, name) for text in parameters.all(name))


def _pair(text: str, name: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise refuse(f"parameter {name!r} must be NAME=VALUE, not {text[:80]!r}")
    return key.strip(), value.strip()


def _limit(parameters: Parameters, name: str) -> float | None:
    text = parameters.text(name)
    return None if text is None else _number(text, name)


def _share(parameters: Parameters, name: str, default: float) -> float:
    text = parameters.text(name)
    return default if text is None else _number(text, name)


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1_000_000:
        raise refuse(f"parameter {name!r} must be a number from 0 on, not {text[:40]!r}")
    return value


def result_row(result: CanaryResult) -> dict[str, Any]:
    """Return a result as JSON; a score that is not known is null."""
    return {
        "verdict": result.verdict.value,
        "score": number(result.score),
        "reason": result.reason,
        "groups": [{**asdict(one), "score": number(one.score)} for one in result.groups],
        "metrics": [_metric_row(one) for one in result.metrics],
    }


def _metric_row(one: MetricVerdict) -> dict[str, Any]:
    found = one.difference
    return {
        "name": one.rule.name,
        "group": one.rule.group,
        "critical": one.rule.critical,
        "outcome": one.outcome.value,
        "reason": one.reason,
        "control_values": one.control,
        "experiment_values": one.experiment,
        "difference": None
        if found is None
        else {name: number(value) for name, value in asdict(found).items()},
    }
