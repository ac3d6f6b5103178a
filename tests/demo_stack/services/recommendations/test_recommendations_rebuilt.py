"""A model that begins empty reads the log from its beginning, whatever was committed."""

from __future__ import annotations

from typing import Any

from demo_stack.chassis.client import Call
from demo_stack.eventlog.broker import EmbeddedBroker
from demo_stack.eventlog.topics import VIEWS
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.in_memory.turns import until
from demo_stack.services.recommendations.model import ItemModel
from demo_stack.services.recommendations.rebuilding import PATIENCE_S, QUIET_S, Rebuilding


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def _row(viewer: str) -> Call:
    path = f"/viewers/{viewer}/row"
    return Call(service="recommendations", method="GET", route=path)


def test_a_region_that_lost_its_model_suggests_the_same_again() -> None:
    """The log is the truth; a restart must not cost what was learnt."""

    async def story() -> tuple[Any, Any, Any]:
        async with open_region() as w:
            stores = w.region.stores.recommendations
            for viewer, title in [("a", "t40"), ("a", "t41"), ("fan", "t40")]:
                value = {"viewer": viewer, "title": title}
                await stores.log.send(VIEWS, viewer, value, time_ms=0)
            log = stores.log
            assert isinstance(log, EmbeddedBroker)
            await until(lambda: log.group("recommendations", VIEWS).lag == 0)
            before = (await w.client.json(_row("fan")))["titles"]
            stores.model = ItemModel()
            lost = (await w.client.json(_row("fan")))["titles"]
            await w.region.fleet.start("recommendations")
            await until(lambda: stores.model.suggest("fan") != [])
            return before, lost, (await w.client.json(_row("fan")))["titles"]

    before, lost, after = steady.run(story())
    assert before == after
    assert (before[0], lost[0]) == ("t41", "t01")


def test_reading_ends_when_nothing_more_comes() -> None:
    """A rebuild that never ends reads for ever."""
    clock, taken = Clock(), []

    async def story() -> int:
        log = EmbeddedBroker()
        past = Rebuilding(log, VIEWS, lambda record: taken.append(record.offset), "r1", clock)
        clock.s = PATIENCE_S - 1
        await past.work()
        assert not past.done
        await log.send(VIEWS, "v", {}, time_ms=0)
        await past.work()
        clock.s += QUIET_S - 0.1
        await past.work()
        assert not past.done
        clock.s += 0.1
        await past.work()
        assert past.done
        await log.send(VIEWS, "v", {}, time_ms=0)
        await past.work()
        return past.read

    assert steady.run(story()) == 1
    assert taken == [0]


def test_a_log_that_never_answers_is_not_waited_for_forever() -> None:
    """A start must not hang on a log that is away."""
    clock = Clock()
    past = Rebuilding(EmbeddedBroker(), VIEWS, lambda _record: None, "r1", clock)
    clock.s = PATIENCE_S
    steady.run(past.work())
    assert past.done
