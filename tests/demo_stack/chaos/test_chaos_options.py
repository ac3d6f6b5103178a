"""What breaks by itself is ordered on the command line, and only there."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from demo_stack.chaos.desk import ChaosOrders
from demo_stack.chaos.monkey import MonkeySettings
from demo_stack.chaos.options import chaos_options


def _ordered(*arguments: str) -> tuple[list[ChaosOrders], Result]:
    """Return the orders that a command line makes, and what it said."""
    made: list[ChaosOrders] = []

    @click.command()
    @click.option("--seed", default=7)
    @click.option("--day-s", default=1_440.0)
    @chaos_options
    def command(orders: ChaosOrders, seed: int, day_s: float) -> None:
        made.append(orders)

    result = CliRunner().invoke(command, list(arguments))
    return made, result


@pytest.mark.parametrize(
    ("arguments", "orders"),
    [
        ((), ChaosOrders(monkey=MonkeySettings(leashed=False), monkey_seed=7)),
        (("--chaos-seed", "3", "--chaos-hours", "2"),
         ChaosOrders(schedule_seed=3, schedule_hours=2.0, monkey_seed=3,
                     monkey=MonkeySettings(leashed=False))),
        (("--chaos-monkey", "--monkey-spare", "*/auth", "--monkey-mean-days", "1"),
         ChaosOrders(monkey_seed=7, monkey=MonkeySettings(
             enabled=True, leashed=False, mean_days=1, exceptions=frozenset({("*", "auth")})))),
        (("--scenario", "surge-2020-03-25", "--monkey-outage-url", "http://x/i"),
         ChaosOrders(scenario="surge-2020-03-25", monkey_seed=7, outage_url="http://x/i",
                     monkey=MonkeySettings(leashed=False))),
    ],
)  # fmt: skip
def test_orders_say_what_was_asked_for_and_a_monkey_only_when_it_was(
    arguments: tuple[str, ...], orders: ChaosOrders
) -> None:
    """Options that are mixed up break something that nobody ordered."""
    made, result = _ordered(*arguments)
    assert result.exit_code == 0
    assert made == [orders]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scenario", "nope"), "no scenario 'nope'; there are: elb-capacity-2016-01-27"),
        (("--chaos-hours", "0"), "above 0 and at most 1440"),
        (("--chaos-hours", "2", "--day-s", "1e9"), "at most"),
        (("--monkey-mean-days", "0"), "at least 1"),
        (("--monkey-spare", "auth"), "takes region/service, not 'auth'"),
    ],
)
def test_orders_that_make_no_sense_are_refused(arguments: tuple[str, ...], words: str) -> None:
    """A wrong option must end before anything is started."""
    made, result = _ordered(*arguments)
    assert (made, result.exit_code) == ([], 2)
    assert words in result.output
