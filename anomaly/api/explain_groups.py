"""``GET /api/v2/explain-groups``: which tags explain what an expression did in a window."""

from __future__ import annotations

from dataclasses import asdict, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.evidence.explaining import Explained, Question, explain, scan_words
from anomaly.evidence.tag_scan import MAX_ANSWERS, Combination, Direction
from anomaly.evidence.telling_keys import SeriesCounter, telling_keys
from collectors.api.answers import answering, json_response
from collectors.api.graph_request import MAX_COLUMNS, choice, read_zones
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.workers import Workers
from collectors.clock import Clock
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.text.times import choose_step_ms, parse_duration_ms, parse_times

PATH = "/api/v2/explain-groups"
EVERY_KEY = "*"
"""Asks for whatever keys may tell."""
_DEFAULT_START, _DEFAULT_END, _DEFAULT_BEFORE = "e-10m", "now", "1h"


def explain_groups_routes(
    database: Database,
    step_ms: int,
    clock: Clock,
    workers: Workers | None = None,
    counter: SeriesCounter | None = None,
) -> list[Route]:
    """Return the route that explains an expression by its tags.

    Args:
        database: Where the numbers are.
        step_ms: Length of a step.
        clock: What ``now`` means.
        workers: Threads to evaluate in; own ones if None.
        counter: Tells which keys series have, for ``by=*``.
    """

    def answer(request: Request) -> Response:
        question = read_question(Parameters.of(request), step_ms, clock.now_ms())
        if question.by == (EVERY_KEY,) and counter is not None:
            asked = [text for text in (question.expression, question.of) if text]
            question = replace(question, by=telling_keys(asked, counter))
        return json_response(row(question, explain(question, database)))

    return [Route(PATH, answering(answer, workers or Workers()), methods=["GET"])]


def read_question(parameters: Parameters, step_ms: int, now_ms: int) -> Question:
    """Read and check the query string.

    Raises:
        QueryError: A parameter is missing or can't be used; the message names it.
    """
    start_ms, end_ms = parse_times(
        parameters.text("s") or _DEFAULT_START,
        parameters.text("e") or _DEFAULT_END,
        now_ms,
        read_zones(parameters)[0],
    )
    before_ms = parse_duration_ms(parameters.text("before") or _DEFAULT_BEFORE)
    if before_ms < step_ms:
        raise refuse(f"parameter 'before' must be at least a step of {step_ms} ms")
    step_ms = choose_step_ms(step_ms, MAX_COLUMNS, start_ms - before_ms, end_ms)
    first_ms = min(start_ms // step_ms * step_ms, end_ms // step_ms * step_ms - step_ms)
    steps_before = max(1, before_ms // step_ms)
    by = tuple(key.strip() for key in (parameters.text("by") or "").split(",") if key.strip())
    return Question(
        expression=parameters.required("q"),
        of=parameters.text("of") or "",
        by=by,
        before=Window(
            start_ms=first_ms - (steps_before - 1) * step_ms, end_ms=first_ms, step_ms=step_ms
        ),
        during=Window(
            start_ms=first_ms + step_ms, end_ms=end_ms // step_ms * step_ms, step_ms=step_ms
        ),
        direction=choice(parameters, "direction", Direction, Direction.BOTH),
        answers=parameters.integer("limit", 3, low=1, high=MAX_ANSWERS),
    )


def row(question: Question, found: Explained) -> dict[str, object]:
    """Return the answer as JSON."""
    return {
        "query": question.expression,
        "of": question.of,
        "by": list(found.keys),
        "before_ms": [question.before.start_ms, question.before.end_ms],
        "during_ms": [question.during.start_ms, question.during.end_ms],
        "series": found.series,
        "tried": found.scan.tried,
        "stands_out": found.scan.stands_out,
        "moved_as_one": found.scan.moved_as_one,
        "words": scan_words(found),
        "combinations": [_combination(one) for one in found.scan.combinations],
    }


def _combination(one: Combination) -> dict[str, object]:
    return {
        **asdict(one),
        "tags": dict(one.tags),
        "factor": one.factor,
        "rest_factor": one.rest_factor,
    }
