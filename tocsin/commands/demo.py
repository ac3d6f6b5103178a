"""``tocsin demo``: the whole loop, told in the terminal."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
import httpx2
import orjson

from collectors.errors import TocsinError
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.demo.narrator import Narrator
from tocsin.demo.outcome import NO_FAULT, Outcome
from tocsin.demo.playlist import TOLD_FAULTS, listing
from tocsin.demo.plays import FaultPlay, Play, ScenarioPlay
from tocsin.demo.processes import Processes
from tocsin.demo.stage import Stage, set_stage
from tocsin.demo.story import Story

_DEFAULT_FAULT = "playback-errors"


@click.command("demo")
@click.option("--quick", is_flag=True, help="Shorter baseline, answers the page itself, then ends.")
@click.option("--fault", default=_DEFAULT_FAULT, help=f"Which fault, or none. [{_DEFAULT_FAULT}]")
@click.option("--scenario", help="Which story to replay instead: an outage with its remediation.")
@click.option("--list-faults", is_flag=True, help="Print the faults to choose from, one a line.")
@click.option("--list-scenarios", is_flag=True, help="Print the scenarios, one a line.")
@click.option("--seed", default=7, help="Seed of the platform's viewers. [7]")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the run is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object last.")
@click.pass_context
def command(
    ctx: click.Context,
    quick: bool,
    fault: str,
    scenario: str | None,
    list_faults: bool,
    list_scenarios: bool,
    seed: int,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Start a streaming platform and watch it, break it, be paged, resolve, read the post-mortem.

    Exit code 0 means that the whole chain happened (with --fault none: that nothing paged). Any
    fault that `python -m demo_stack --list` names can be chosen; those of --list-faults are known
    to be found.
    """
    if list_faults or list_scenarios:
        click.echo("\n".join(TOLD_FAULTS if list_faults else listing()["scenarios"]))
        return
    name = _checked(fault, scenario)
    stop_on_signals()
    out = sys.stderr if as_json else sys.stdout
    narrator = Narrator(out, colour=out.isatty() and "NO_COLOR" not in os.environ)
    directory = (data_dir or fresh_directory()).absolute()
    outcome = run(
        name, directory, narrator, quick=quick, seed=seed, is_scenario=scenario is not None
    )
    if as_json:
        click.echo(orjson.dumps(outcome.as_json()).decode())
    ctx.exit(0 if outcome.complete else 1)


def _checked(fault: str, scenario: str | None) -> str:
    """Return the name of what is to be played.

    Raises:
        BadParameter: The platform has nothing of that name.
        ConfigError: The platform is not installed.
    """
    name = fault if scenario is None else scenario
    known = listing()["faults" if scenario is None else "scenarios"]
    if name in known or (name == NO_FAULT and scenario is None):
        return name
    kind = f"{NO_FAULT} or a fault" if scenario is None else "a scenario"
    raise click.BadParameter(f"{name!r}: choose {kind} of the platform: {', '.join(known)}")


def run(
    name: str,
    directory: Path,
    narrator: Narrator,
    *,
    quick: bool,
    seed: int,
    is_scenario: bool = False,
) -> Outcome:
    """Play the story in ``directory`` and return what it came to; leaves no process behind."""
    outcome = Outcome(fault=name)
    environment = dict(os.environ)
    try:
        with Processes(directory / "logs", environment) as processes:
            stage = set_stage(processes, directory, narrator, quick=quick, seed=seed)
            outcome.urls = stage.urls()
            for what, url in outcome.urls.items():
                narrator.say(what.replace("_", " "), url, "link")
            _tell(stage, narrator, outcome, quick=quick, is_scenario=is_scenario)
            if not quick:
                _stay_up(narrator)
    except KeyboardInterrupt:
        narrator.say("stopped", "every process has ended")
    except (TocsinError, ClientError, httpx2.HTTPError) as error:
        outcome.failure = str(error)
        narrator.say("failed", str(error), "alarm")
        narrator.say("logs", str(directory / "logs"), "link")
    return outcome


def _tell(
    stage: Stage, narrator: Narrator, outcome: Outcome, *, quick: bool, is_scenario: bool
) -> None:
    platform = httpx2.Client(base_url=stage.control_url, timeout=15.0, trust_env=False)
    kind = ScenarioPlay if is_scenario else FaultPlay
    play: Play | None = None
    if outcome.fault != NO_FAULT:
        play = kind(name=outcome.fault, platform=platform)
    with platform, ApiClient(stage.api_url) as api:
        Story(
            stage=stage,
            play=play,
            quick=quick,
            narrator=narrator,
            outcome=outcome,
            api=api,
        ).tell()


def _stay_up(narrator: Narrator) -> None:
    narrator.say("up", "everything keeps running; Ctrl-C ends it", "link")
    while True:
        time.sleep(3_600)


def stop_on_signals() -> None:
    """Let SIGTERM and SIGINT end the command in order."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    # Also SIGINT: a shell that starts us in the background would have it ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def fresh_directory() -> Path:
    """Return where a run is kept when nobody says where."""
    return Path("demo-data") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
