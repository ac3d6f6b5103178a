"""The command line: ``up`` for people and scripts; ``region`` and ``viewers`` for ``up``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.layout import QUICK_REGIONS, Region, Service
from demo_stack.platform.errors import PlatformError
from demo_stack.platform.lifeline import bind_to_parent
from demo_stack.platform.logs import log_warnings


@click.group(invoke_without_command=True, help="A miniature global streaming service.")
@click.option("--list", "listing", is_flag=True, help="Print services, faults and scenarios.")
@click.option("--json", "as_json", is_flag=True, help="With --list: as one JSON object.")
@click.pass_context
def main(context: click.Context, listing: bool, as_json: bool) -> None:
    """Show what there is, or run a command."""
    if listing:
        _list(as_json=as_json)
    elif context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command(help="Run the platform until SIGTERM or Ctrl-C.")
@click.option("--otlp-endpoint", required=True, help="Base URL of an OTLP/HTTP receiver.")
@click.option("--spectator", default="none", help="udp://host:port of a spectator receiver.")
@click.option("--run-dir", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--sps", default=4.0, show_default=True, help="Stream starts a second in each region."
)
@click.option("--regions", default=",".join(QUICK_REGIONS), show_default=True)
@click.option("--scenario", default="", help="Play this scenario once everything is up.")
@click.option("--control-port", default=0, help="Port of the control server; 0 for any free one.")
@click.option("--embedded", is_flag=True, help="No memcached and no broker, even if installed.")
def up(  # noqa: D103 - click prints the help above
    otlp_endpoint: str,
    spectator: str,
    run_dir: Path,
    seed: int,
    sps: float,
    regions: str,
    scenario: str,
    control_port: int,
    embedded: bool,
) -> None:
    from demo_stack.supervisor.platform import PlatformSpec
    from demo_stack.supervisor.process import run_platform

    names = regions.split(",")
    if unknown := sorted(set(names) - set(Region)):
        raise click.BadParameter(f"no region {unknown}; there are: {', '.join(Region)}")
    if sps <= 0:
        raise click.BadParameter(f"--sps must be above 0, not {sps}")
    if scenario and scenario not in (scenarios := load_experiments(SCENARIOS_DIR)):
        raise click.BadParameter(f"no scenario {scenario!r}; there are: {', '.join(scenarios)}")
    spec = PlatformSpec(
        regions=names,
        seed=seed,
        sps=sps,
        otlp_endpoint=otlp_endpoint,
        spectator=spectator,
        embedded=embedded,
    )
    try:
        asyncio.run(run_platform(spec, run_dir.resolve(), control_port, scenario))
    except* (PlatformError, OSError) as failed:
        raise click.ClickException("; ".join(str(error) for error in failed.exceptions)) from None


@main.command(help="Print what a platform of this size costs, per stream and per subscriber.")
@click.option("--sps", default=5.0, show_default=True, help="Stream starts a second.")
@click.option("--instances", default=16, show_default=True)
@click.option("--minutes", default=52.0, show_default=True, help="Length of a stream.")
@click.option("--mbit", default=5.0, show_default=True, help="Average bit rate of a stream.")
@click.option("--subscribers", default=10_000, show_default=True)
def cost(  # noqa: D103 - click prints the help above
    sps: float, instances: int, minutes: float, mbit: float, subscribers: int
) -> None:
    from demo_stack.business.cost import (
        Prices,
        audience,
        cost_by_item,
        cost_per_stream,
        cost_per_subscriber_month,
        steady_usage,
    )

    usage = steady_usage(sps=sps, instances=instances, minutes=minutes, mbit=mbit)
    prices = Prices()
    for item, dollars in cost_by_item(usage, prices).items():
        click.echo(f"{item:>12} {dollars:10.2f} USD an hour")
    click.echo(f"  per stream {cost_per_stream(usage, prices) or 0.0:10.5f} USD")
    monthly = cost_per_subscriber_month(usage, prices, subscribers)
    click.echo(f"  subscriber {monthly:10.4f} USD a month")
    for part, people in audience(subscribers).items():
        click.echo(f"{part:>14} {people:8} subscribers")


@main.command(hidden=True, help="The process of one region.")
@click.argument("spec")
def region(spec: str) -> None:  # noqa: D103 - click prints the help above
    from demo_stack.regions.process import run_region
    from demo_stack.regions.spec import RegionSpec

    bind_to_parent()
    log_warnings()
    asyncio.run(run_region(RegionSpec.from_json(spec)))


@main.command(hidden=True, help="The process of the viewers.")
@click.argument("spec")
def viewers(spec: str) -> None:  # noqa: D103 - click prints the help above
    from demo_stack.viewers.process import ViewersSpec, run_viewers

    bind_to_parent()
    log_warnings()
    asyncio.run(run_viewers(ViewersSpec.from_json(spec)))


def _list(*, as_json: bool) -> None:
    kinds = {"faults": EXPERIMENTS_DIR, "operations": OPERATIONS_DIR, "scenarios": SCENARIOS_DIR}
    known = {kind: load_experiments(directory) for kind, directory in kinds.items()}
    if as_json:
        listing = {kind: [_row(one) for one in found.values()] for kind, found in known.items()}
        click.echo(orjson.dumps({"services": list(Service), "regions": list(Region), **listing}))
        return
    click.echo("services: " + ", ".join(Service))
    for kind, found in known.items():
        click.echo(f"\n{kind}:")
        for one in found.values():
            click.echo(f"  {one.name}: {one.title}")


def _row(one: Experiment) -> dict[str, object]:
    return {
        "name": one.name,
        "title": one.title,
        "component": one.component,
        "scope": one.scope,
        "expected_impact": one.expected_impact,
    }
