"""What is told of rules themselves: of what they ask in vain, and why they fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anomaly.prometheus_rules.finding import failing, reworded
from anomaly.prometheus_rules.group import AlertingRule, RuleGroup
from anomaly.prometheus_rules.group_rule import MAX_CAUGHT_UP, GroupRule
from anomaly.prometheus_rules.memory_file import MemoryFile
from anomaly.prometheus_rules.unheard import unheard_words
from anomaly.prometheus_rules.unit_tests.memory import MemoryStore
from anomaly.rules.ground import Ground
from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.host.machine import Machine
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import Samples
from collectors.promql.samples.memory import MemorySource
from collectors.store.metric_store import MetricStore

RULE = AlertingRule(alert="Slow", expr="queue > 10 and on () slip == 0")


class Broken(MemorySource):
    """A source that can't be asked, and counts how often it was."""

    asked = 0

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        del matchers, first_ms, last_ms, words
        self.asked += 1
        raise QueryError("the disk is gone")


def test_what_can_not_be_asked_is_neither_there_nor_lacking() -> None:
    """A slip would pass for good for ever as the store failed when it was looked for."""
    store = MemoryStore()
    store.source.add({"__name__": "queue"}, [1_000], [1.0])
    assert unheard_words(RULE, store.samples(), 1_000, {}) == "Slow asks for slip"
    broken, heard = Broken(), dict[str, bool | None]()
    assert unheard_words(RULE, broken, 1_000, heard) is None
    assert unheard_words(RULE, broken, 1_000, heard) is None
    assert broken.asked == 2, "rules that ask for the same are looked for once"


def test_a_failure_for_another_reason_is_told_anew_but_not_in_every_step() -> None:
    """People would look for a reason that has long been mended."""
    group = RuleGroup(group="g", file="f", rules=(RULE,))

    first = failing(group, "Slow", "no disk", since_ms=1, detected_ms=1, time_ms=1)
    other = failing(group, "Slow", "too much", since_ms=1, detected_ms=2, time_ms=2)
    assert reworded(first, first, time_ms=900_000) is None
    assert reworded(first, other, time_ms=20_000) is None
    anew = reworded(first, other, time_ms=900_000)
    assert anew is not None
    assert "too much" in anew.explanation
    assert (anew.id, anew.started_ms, anew.detected_ms) == (first.id, 1, 1)


def test_a_group_that_is_behind_takes_the_newest_steps(tmp_path: Path) -> None:
    """Rules that take longer than a step would fall behind for ever, and all others with them."""
    clock, began_ms, step_ms = ManualClock(1_000_000), 1_000_000, 10_000
    group = RuleGroup(group="g", file="f", rules=(AlertingRule(alert="On", expr="vector(1)"),))
    rule = GroupRule(group, step_ms)
    store = MetricStore.open(
        tmp_path / "store", step_ms=step_ms, hot_window_ms=3_600_000, clock=clock
    )
    memory = MemoryFile(tmp_path / "rules.json", Machine())
    rule.begin(Ground(store=store, memory=memory, clock=clock))
    clock.advance_ms(100 * step_ms)
    first_ms = began_ms + step_ms
    evaluated = [time_ms for time_ms, _ in rule.advance(0, 100, first_ms)]
    store.close()
    assert evaluated == [began_ms + at * step_ms for at in range(101 - MAX_CAUGHT_UP, 101)]
