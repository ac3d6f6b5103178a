"""One value of one series through all parts."""

from __future__ import annotations

from typing import NamedTuple

from anomaly.detectors.alarm import AlarmSettings
from anomaly.detectors.novelty.ageing import grow_older
from anomaly.detectors.novelty.alarming import (
    NO_ALARM,
    PAGE_REFRACTORY,
    REFRACTORY,
    follow_episode,
    habituated,
    is_news,
)
from anomaly.detectors.novelty.day import learn_day, usual
from anomaly.detectors.novelty.lasting import begin, note_why
from anomaly.detectors.novelty.paging import NO_PAGE, held
from anomaly.detectors.novelty.patterns import distance, learn_pattern
from anomaly.detectors.novelty.quiet import movement
from anomaly.detectors.novelty.row import (
    ALARM,
    LAST,
    LEARNED,
    PATTERN_TAIL,
    QUIET_TAIL,
    RAISED,
    RESIDUAL,
    RESIDUAL_TAIL,
    SEEN,
    TAIL_SIZE,
    RowArray,
)
from anomaly.detectors.novelty.surprise import surprise
from anomaly.detectors.novelty.tails import (
    grow_weight,
    largest,
    learn_tail,
    log_lower,
    log_upper,
    size,
)
from collectors.kernel import inlined

_NO_SURPRISE = -1.0
_USUAL_SIZE = 0.32
"""A residual's usual size is what a third of them exceed: one sigma of what is normal."""
_BACK = 0.1
"""Of the largest residual so much is left of one that is over."""
_QUIET = -1.3
"""log10 of one in twenty."""


class NoveltySettings(NamedTuple):
    """What is set of the detector, as numbers, for kernels.

    Attributes:
        alarm: When alarms begin and end.
        side: Which side is wrong, as in ``SIDES``.
        min_change: Smallest difference that counts, as a share of what is usual.
        hold: For how many values an alarm is held before it pages.
        threshold: The score from which on it pages.
        always: Usual sizes of a residual from which on it pages at once, known or not; 0 for none.
    """

    alarm: AlarmSettings
    side: int
    min_change: float
    hold: float
    threshold: float
    always: float


class Judged(NamedTuple):
    """What one value came to.

    Attributes:
        usual: What was usual at the time, less the series' first value.
        residual: log10 of the probability of so large a residual.
        pattern: Of so large a distance from all that is remembered.
        quiet: Of so little movement.
        surprise: All of it in one number, ``_NO_SURPRISE`` where it does not matter.
        alarm: Score of an alarm told at once, ``NO_ALARM`` for none.
        page: Score of an alarm that has been held, ``NO_PAGE`` for none.
        noise: Usual size of a residual.
        repeated: Share of the size at which it pages at once; 0 where that is not wanted.
    """

    usual: float
    residual: float
    pattern: float
    quiet: float
    surprise: float
    alarm: float
    page: float
    noise: float
    repeated: float


@inlined
def _matters(off: float, expected: float, quiet: float, settings: NoveltySettings) -> bool:
    """Return whether a residual is on the wrong side and large enough; stillness has no side."""
    if settings.side != 0 and off * settings.side < 0.0:
        return False
    return abs(off) > settings.min_change * abs(expected) or quiet < _QUIET


@inlined
def _learn(
    rows: RowArray, i: int, x: float, day: float, off: float, apart: float, moved: float
) -> None:
    learn_tail(rows, i, RESIDUAL_TAIL, abs(off))
    learn_tail(rows, i, PATTERN_TAIL, apart)
    learn_tail(rows, i, QUIET_TAIL, moved)
    grow_weight(rows, i, RESIDUAL_TAIL, QUIET_TAIL + TAIL_SIZE)
    learn_pattern(rows, i, off, apart)
    bound = largest(rows, i, RESIDUAL_TAIL)  # one absurd value must not be the usual for weeks
    learn_day(rows, i, day, min(bound, max(-bound, off)))
    rows[i, LAST] = x
    rows[i, RESIDUAL] = off
    rows[i, LEARNED] = min(rows[i, LEARNED] + 1.0, 1e6)
    grow_older(rows, i)


@inlined
def follow(
    rows: RowArray,
    i: int,
    x: float,
    first: float,
    day: float,
    lasting: bool,
    settings: NoveltySettings,
) -> Judged:
    """Judge a value by what came before, then learn from it.

    Args:
        rows: State.
        i: Of which series.
        x: The value, less the series' first one.
        first: The series' first value.
        day: Share of the day that is over.
        lasting: Whether an alarm stands already, so that none is held.
        settings: Of the detector.
    """
    expected = usual(rows, i, day)
    off = x - expected
    apart = distance(rows, i, off)
    moved = movement(rows, i, abs(x - rows[i, LAST]))
    residual = log_upper(rows, i, RESIDUAL_TAIL, abs(off))
    pattern = log_upper(rows, i, PATTERN_TAIL, apart)
    quiet = log_lower(rows, i, QUIET_TAIL, moved)
    score = surprise(residual, pattern, quiet, rows[i, SEEN])
    noise = size(rows, i, RESIDUAL_TAIL, _USUAL_SIZE)
    repeated = 0.0
    if not _matters(off, expected + first, quiet, settings):
        score = _NO_SURPRISE
    elif settings.always > 0.0 and noise > 0.0:
        repeated = abs(off) / (noise * settings.always)
    raised = NO_ALARM
    if is_news(rows, i, RAISED, score, PAGE_REFRACTORY):
        raised = habituated(rows, i, score)
    page = held(rows, i, NO_ALARM if lasting else raised, residual, settings.hold)
    if page > NO_PAGE and settings.hold > 0.0 and noise == 0.0:
        # A lone one among zeros: a line that never moves is back where it always was.
        page = page if abs(off) > _BACK * largest(rows, i, RESIDUAL_TAIL) else NO_PAGE
    if repeated >= 1.0 and not lasting:
        begin(rows, i)
    note_why(rows, i, residual, pattern, quiet)
    news = is_news(rows, i, ALARM, score, REFRACTORY)
    alarm = habituated(rows, i, score) if news else NO_ALARM
    follow_episode(rows, i, score, news)
    _learn(rows, i, x, day, off, apart, moved)
    return Judged(expected, residual, pattern, quiet, score, alarm, page, noise, repeated)
