"""The command line: ``up`` for people and scripts; ``region`` and ``viewers`` for ``up``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import orjson

from demo_stack.chaos.desk import ChaosOrders
from demo_stack.chaos.experiment import (
    EXPERIMENTS_DIR,
    OPERATIONS_DIR,
    SCENARIOS_DIR,
    Experiment,
    load_experiments,
)
from demo_stack.chaos.options import chaos_options
from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.lifeline import bind_to_parent
from demo_stack.chassis.logs import log_warnings
from demo_stack.services.encoding.command import encode, encoder
from demo_stack.services.encoding.shelf import cache_directory
from demo_stack.world.layout import DAY_S, QUICK_REGIONS, Region, Service

_DIRECTORIES = (EXPERIMENTS_DIR, OPERATIONS_DIR, SCENARIOS_DIR)


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
@click.option("--control-port", default=0, help="Port of the control server; 0 for any free one.")
@chaos_options
@click.option("--changes-webhook", default="", help="Post each announced change there as JSON.")
@click.option("--day-s", default=DAY_S, show_default=True, help="Seconds in a day of the rhythm.")
@click.option(
    "--autoscale/--no-autoscale", default=True, help="Scale by measured and by expected traffic."
)
@click.option("--embedded", is_flag=True, help="No memcached and no broker, even if installed.")
@click.option("--encode-titles", default=2, show_default=True, help="0 for synthetic ones only.")
@click.option("--billing-url", default="", help="Database of the ledger; SQLite in the run dir.")
def up(  # noqa: D103 - click prints the help above
    *,
    otlp_endpoint: str,
    spectator: str,
    run_dir: Path,
    seed: int,
    sps: float,
    regions: str,
    control_port: int,
    orders: ChaosOrders,
    changes_webhook: str,
    day_s: float,
    autoscale: bool,
    embedded: bool,
    encode_titles: int,
    billing_url: str,
) -> None:
    from demo_stack.supervisor.control.process import run_platform
    from demo_stack.supervisor.processes.platform import PlatformSpec

    names = regions.split(",")
    if unknown := sorted(set(names) - set(Region)):
        raise click.BadParameter(f"no region {unknown}; there are: {', '.join(Region)}")
    if min(sps, day_s) <= 0:
        raise click.BadParameter(f"--sps and --day-s must be above 0, not {sps} and {day_s}")
    spec = PlatformSpec(
        regions=names,
        seed=seed,
        sps=sps,
        otlp_endpoint=otlp_endpoint,
        spectator=spectator,
        day_s=day_s,
        autoscale=autoscale,
        embedded=embedded,
        encoded_titles=encode_titles,
        media=str(cache_directory(run_dir.resolve())),
        billing_url=billing_url,
    )
    try:
        asyncio.run(run_platform(spec, run_dir.resolve(), control_port, orders, changes_webhook))
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
        cost_by_item,
        cost_per_stream,
        cost_per_subscriber_month,
        steady_usage,
    )
    from demo_stack.world.accounts import audience

    usage = steady_usage(sps=sps, instances=instances, minutes=minutes, mbit=mbit)
    prices = Prices()
    for item, dollars in cost_by_item(usage, prices).items():
        click.echo(f"{item:>12} {dollars:10.2f} USD an hour")
    click.echo(f"  per stream {cost_per_stream(usage, prices) or 0.0:10.5f} USD")
    monthly = cost_per_subscriber_month(usage, prices, subscribers)
    click.echo(f"  subscriber {monthly:10.4f} USD a month")
    for part, people in audience(subscribers).items():
        click.echo(f"{part:>14} {people:8} subscribers")


@main.command(
    "validate-experiments", help="Check experiment files; all of ours when none is named."
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def validate_experiments(  # noqa: D103 - click prints the help above
    context: click.Context, paths: tuple[Path, ...]
) -> None:
    from demo_stack.chaos.validation import chaoslib_check, validate

    ours = [path for where in _DIRECTORIES for path in sorted(where.glob("*.json"))]
    if (check := chaoslib_check()) is None:
        click.echo("chaostoolkit-lib is not installed: only our own check is made", err=True)
    verdicts = validate(paths or ours, check)
    for verdict in verdicts:
        if verdict.problem:
            click.echo(f"{verdict.path}: {verdict.problem}", err=True)
    wrong = sum(bool(verdict.problem) for verdict in verdicts)
    click.echo(f"{len(verdicts) - wrong} of {len(verdicts)} experiments are valid")
    context.exit(1 if wrong else 0)


@main.command("cost-of-telemetry", help="Measure what instrumentation costs a request.")
@click.option("--sessions", default=20, show_default=True, help="Sessions of a round.")
@click.option("--rounds", default=3, show_default=True, help="Rounds with and without it.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def cost_of_telemetry(sessions: int, rounds: int, as_json: bool) -> None:  # noqa: D103 - as above
    from demo_stack.in_memory.telemetry_cost import measure

    if min(sessions, rounds) < 1:
        raise click.BadParameter(f"at least 1 is needed, not {min(sessions, rounds)}")
    found = measure(sessions, rounds).document()
    if as_json:
        click.echo(orjson.dumps(found))
        return
    for name, value in found.items():
        click.echo(f"{name:>26} {value}")


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


main.add_command(encode)
main.add_command(encoder)


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
