"""Command-line options that say what breaks by itself once the platform is up."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from demo_stack.chaos.desk import DAY_HOURS, ChaosOrders
from demo_stack.chaos.experiment import SCENARIOS_DIR, load_experiments
from demo_stack.chaos.monkey import MonkeySettings
from demo_stack.chaos.schedule import MAX_DURATION_S

_OPTIONS = (
    click.option("--scenario", default="", help="Play this scenario once everything is up."),
    click.option("--chaos-monkey", is_flag=True, help="Let Chaos Monkey kill in working hours."),
    click.option("--chaos-seed", type=int, help="Play faults and operations of this seed."),
    click.option(
        "--chaos-hours", default=DAY_HOURS, show_default=True, help="For so long; see --day-s."
    ),
    click.option(
        "--monkey-mean-days", default=2, show_default=True, help="Working days between kills."
    ),
    click.option("--monkey-spare", multiple=True, help="region/service to leave alone; * is any."),
    click.option(
        "--monkey-outage-url", default="", help='Kills nobody while "incidents" is not empty.'
    ),
)


def chaos_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that has ``seed`` and ``day_s``; hand it ``orders``."""

    @wraps(command)
    def with_orders(
        *,
        scenario: str,
        chaos_monkey: bool,
        chaos_seed: int | None,
        chaos_hours: float,
        monkey_mean_days: int,
        monkey_spare: tuple[str, ...],
        monkey_outage_url: str,
        **others: Any,
    ) -> Any:
        orders = ChaosOrders(
            scenario=_scenario(scenario),
            schedule_seed=chaos_seed,
            schedule_hours=_hours(chaos_hours, others["day_s"]),
            monkey=_monkey(enabled=chaos_monkey, mean_days=monkey_mean_days, spared=monkey_spare),
            monkey_seed=others["seed"] if chaos_seed is None else chaos_seed,
            outage_url=monkey_outage_url,
        )
        return command(orders=orders, **others)

    decorated: Callable[..., Any] = with_orders
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _scenario(name: str) -> str:
    if name and name not in (scenarios := load_experiments(SCENARIOS_DIR)):
        raise click.BadParameter(f"no scenario {name!r}; there are: {', '.join(scenarios)}")
    return name


def _hours(hours: float, day_s: float) -> float:
    if day_s <= 0:
        return hours  # the command itself refuses such a day
    most = MAX_DURATION_S / day_s * DAY_HOURS
    if not 0.0 < hours <= most:
        raise click.BadParameter(f"--chaos-hours must be above 0 and at most {most:g}, not {hours}")
    return hours


def _monkey(*, enabled: bool, mean_days: int, spared: tuple[str, ...]) -> MonkeySettings:
    if mean_days < 1:
        raise click.BadParameter(f"--monkey-mean-days must be at least 1, not {mean_days}")
    pairs = [tuple(one.split("/")) for one in spared]
    if wrong := [one for one, pair in zip(spared, pairs, strict=True) if len(pair) != 2]:
        raise click.BadParameter(f"--monkey-spare takes region/service, not {wrong[0]!r}")
    # Somebody who asks for a monkey on the command line means it: it is not leashed.
    return MonkeySettings(
        enabled=enabled,
        leashed=False,
        mean_days=mean_days,
        exceptions=frozenset((region, service) for region, service in pairs),
    )
