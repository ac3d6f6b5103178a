"""Time is set back: what is kept and judged of the time that is yet to come goes."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from anomaly.engine.engine import Engine
from runbooks.desk.desk import IncidentDesk
from tocsin.collecting import Collectors

_log = structlog.get_logger(__name__)


def begin_again(
    now_ms: int,
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    rules_anew: Callable[[], None],
) -> None:
    """Begin again at ``now_ms``, which lies before what was the present.

    Samples of later times, which the new ones would meet, leave the hot window; history has them.
    Rules go through the past as at a start, and what waits to be sent does not wait for the time
    that was.
    """
    _log.warning("time set back", to_ms=now_ms)
    collectors.metrics.forget_after(now_ms)
    desk.begin_again(now_ms)
    engine.begin_again(now_ms // collectors.metrics.step_ms * collectors.metrics.step_ms)
    rules_anew()
