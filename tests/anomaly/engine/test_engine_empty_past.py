"""A start skips what comes before any data, whatever the rules answer where there is nothing."""

from pathlib import Path

from anomaly.engine.engine import Engine
from anomaly.engine.past import Past
from anomaly.kinds.testing import load_rules
from anomaly.testing import FindingList
from collectors.clock import ManualClock
from collectors.stacklang.lines.database import Window
from collectors.stacklang.testing.windows import STEP_MS, database

OPS = Path(__file__).parents[3] / "demo_stack" / "ops"


def test_steps_before_any_data_are_skipped() -> None:
    """Otherwise a comparison's zeros before the first sample would be learned as normal."""
    stored = database(({"name": "requests"}, [float("nan")] * 40 + [1.0, 2.0]))
    rules = load_rules(OPS, STEP_MS)
    engine = Engine(stored, rules, [FindingList()], ManualClock(0), STEP_MS)
    past = Past(stored, STEP_MS)
    window = Window(start_ms=STEP_MS, end_ms=30 * STEP_MS, step_ms=STEP_MS)
    assert past.steps_before_data(window) == 30
    later = Window(start_ms=31 * STEP_MS, end_ms=42 * STEP_MS, step_ms=STEP_MS)
    assert past.steps_before_data(later) == 10
    assert past.begins_ms(STEP_MS, 42 * STEP_MS) == 41 * STEP_MS
    assert past.begins_ms(STEP_MS, 40 * STEP_MS) is None
    engine.tick(42 * STEP_MS)
    assert engine.findings(resolved=True) == ()
