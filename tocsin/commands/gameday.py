"""``tocsin gameday``: play faults, see what tocsin makes of them, score it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from math import inf
from pathlib import Path

import click
import orjson

from collectors.errors import ConfigError, TocsinError
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.commands.demo import fresh_directory, stop_on_signals
from tocsin.demo.narrator import Narrator
from tocsin.demo.playlist import listing
from tocsin.demo.processes import Child, Processes
from tocsin.demo.stage import set_stage
from tocsin.gameday.goals import goals
from tocsin.gameday.oncall import OnCall
from tocsin.gameday.platform import HttpPlatform
from tocsin.gameday.play import GameDay, Pace
from tocsin.gameday.report import as_html, write_report
from tocsin.gameday.run import Outcome, Programme, everything, run, summary
from tocsin.gameday.scorecard import as_json as card_json
from tocsin.gameday.scorecard import score
from tocsin.gameday.turns import HEALTHY, Turns, events_of, sessions_of, sightings_of

_MAX_HOURS = 1_440.0
_PROBLEMS = 3


@click.group("gameday")
def command() -> None:
    """Play faults into the demo platform and score how a live tocsin does."""


@command.command("list")
def list_what() -> None:
    """Print the scenarios, faults and operations that can be played."""
    for kind, found in listing().items():
        click.echo(f"{kind}:")
        for name, title in found.items():
            click.echo(f"  {name}: {title}")


@command.command("score")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--step", "step_s", default=5.0, help="Length of the run's steps, seconds. [5]")
@click.option("--json", "as_json", is_flag=True, help="Print the scorecard as one JSON object.")
def score_again(directory: Path, step_s: float, as_json: bool) -> None:
    """Score a run again from what it kept in its --data-dir, also while it still goes on.

    Exit code 0 means scored; 1 that nothing was kept there, or that it can't be read.
    """
    turns = Turns(directory).read()
    if not turns:
        raise ConfigError(f"{directory} holds no turns; name the --data-dir of a game day")
    card = score(events_of(turns), sightings_of(turns))
    found = goals(card, step_s)
    if as_json:
        body = {**card_json(card), "goals": [asdict(one) for one in found]}
        body |= {"turns": [one.name for one in turns], "loads": [one.load for one in turns]}
        click.echo(orjson.dumps(body).decode())
        return
    for line in (*summary(card), *(one.words for one in found)):
        click.echo(line)


@command.command("run")
@click.argument("names", nargs=-1, metavar="[SCENARIO|FAULT]...")
@click.option("--seed", default=1, help="Seed of a day of faults, when nothing is named. [1]")
@click.option("--hours", default=24.0, help="Its length; the platform's hour is a minute. [24]")
@click.option("--all", "whole", is_flag=True, help="Every fault, every operation, a healthy hour.")
@click.option("--faults", "listed", default="", metavar="NAME,…", help="Names, as one argument.")
@click.option("--continue", "go_on", is_flag=True, help="Go on with the run in --data-dir.")
@click.option("--within", "within_min", type=float, help="Begin nothing after so many minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print the scorecard as one JSON object.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page with charts.")
@click.option("--url", help="API of a tocsin that runs already; starts its own otherwise.")
@click.option(
    "--platform-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --url: run directory of the platform that this tocsin watches.",
)
@click.option("--answer/--no-answer", default=None, help="Answer pages. [yes, unless --url]")
@click.option("--settle", "settle_s", default=75.0, help="Seconds before the first fault. [75]")
@click.option("--hold", "hold_s", default=60.0, help="Seconds that a named fault lasts. [60]")
@click.option("--enough", "enough_s", default=0.0, help="End it so long after it was seen. [0: no]")
@click.option("--recover", "recover_s", default=120.0, help="Seconds to clear, at most. [120]")
@click.option("--fail-below", type=click.FloatRange(0, 1), help="Exit 3 below this ratio.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the run is kept.")
@click.pass_context
def play(
    ctx: click.Context,
    names: tuple[str, ...],
    seed: int,
    hours: float,
    whole: bool,
    listed: str,
    go_on: bool,
    within_min: float | None,
    as_json: bool,
    report: Path | None,
    url: str | None,
    platform_dir: Path | None,
    answer: bool | None,
    settle_s: float,
    hold_s: float,
    enough_s: float,
    recover_s: float,
    fail_below: float | None,
    data_dir: Path | None,
) -> None:
    """Play scenarios or faults by name, all there are, or a day drawn from a seed; score tocsin.

    Each turn is kept in --data-dir when it is over: a run that breaks off, or that --within ends,
    goes on with --continue and the same --data-dir, and is scored as one.

    Exit code 0 means played and scored, however tocsin did; 3 that recall or precision is below
    --fail-below; 1 that the day could not be played.
    """
    _check_times(hours, settle_s, hold_s, recover_s, enough_s, within_min or 0.0)
    names = _check_what((*names, *filter(None, listed.split(","))), data_dir, whole, go_on)
    if (url is None) != (platform_dir is None):
        raise click.BadParameter("--url and --platform-dir go together: both or neither")
    if url is None:
        _check(names)
    stop_on_signals()
    narrator = Narrator(colour=sys.stderr.isatty() and "NO_COLOR" not in os.environ)
    directory = (data_dir or fresh_directory()).absolute()
    answers = url is None if answer is None else answer
    programme = Programme(
        names=everything(listing(), seed) if whole else names,
        seed=seed,
        hours=hours,
        within_s=inf if within_min is None else within_min * 60.0,
        whole=whole or go_on,
    )
    pace = Pace(settle_s=settle_s, hold_s=hold_s, recover_s=recover_s, enough_s=enough_s)
    kept = Turns(directory)
    if kept.read() and not go_on:
        raise click.BadParameter(f"{directory} holds a run; go on with --continue, or name another")
    try:
        with _ground(url, platform_dir, directory, narrator, seed) as ground:
            outcome = _play(ground, programme, pace, narrator, kept, answers=answers)
    except ClientError as error:
        raise TocsinError(error.message) from error
    _tell(outcome, narrator, report, as_json=as_json)
    ctx.exit(_PROBLEMS if fail_below is not None and outcome.falls_below(fail_below) else 0)


def _check_times(hours: float, *seconds: float) -> None:
    if not 0 < hours <= _MAX_HOURS:
        raise click.BadParameter(f"--hours must be above 0 and at most {_MAX_HOURS:g}")
    if min(seconds) < 0:
        raise click.BadParameter(
            "--settle, --hold, --enough, --recover and --within can't be below 0"
        )


def _check_what(
    names: tuple[str, ...], data_dir: Path | None, whole: bool, go_on: bool
) -> tuple[str, ...]:
    """Return the names; refuse what contradicts itself before anything is started."""
    if go_on and data_dir is None:
        raise click.BadParameter("--continue needs the --data-dir of the run")
    if whole and names:
        raise click.BadParameter("--all plays everything; name nothing beside it")
    if go_on and not (whole or names):
        raise click.BadParameter("--continue needs what is to be played: --all, or names")
    return names


def _check(names: tuple[str, ...]) -> None:
    """Refuse a name that the platform does not know before anything is started.

    Raises:
        BadParameter: With the names that are close, or all that there are.
    """
    known = [HEALTHY, *(name for found in listing().values() for name in found)]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3) or known
            raise click.BadParameter(f"{name!r} can't be played; there is {', '.join(near)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Where a game day takes place."""

    api_url: str
    control_url: str
    truth: Path
    tocsin: Child | None = None
    session: str = "1"

    def alive(self) -> bool:
        """Whether what we started still runs."""
        return self.tocsin is None or self.tocsin.alive


@contextmanager
def _ground(
    url: str | None, platform_dir: Path | None, directory: Path, narrator: Narrator, seed: int
) -> Iterator[_Ground]:
    if url is not None and platform_dir is not None:
        yield _Ground(
            api_url=url,
            control_url=_control_url(platform_dir),
            truth=platform_dir / "ground-truth.jsonl",
        )
        return
    # A run that goes on has a new tocsin and a new platform: the old ones' logs stay as they are.
    directory = directory / f"session-{sessions_of(directory) + 1}"
    with Processes(directory / "logs", dict(os.environ)) as processes:
        stage = set_stage(processes, directory, narrator, quick=True, seed=seed, dashboard=False)
        yield _Ground(
            api_url=stage.api_url,
            control_url=stage.control_url,
            truth=directory / "platform" / "ground-truth.jsonl",
            tocsin=stage.tocsin,
            session=directory.name,
        )


def _control_url(platform_dir: Path) -> str:
    path = platform_dir / "platform.json"
    try:
        return str(orjson.loads(path.read_bytes())["control"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} does not say where the platform is ({error}); name the --run-dir of a "
            "platform that runs"
        ) from error


def _play(
    ground: _Ground,
    programme: Programme,
    pace: Pace,
    narrator: Narrator,
    kept: Turns,
    *,
    answers: bool,
) -> Outcome:
    platform = HttpPlatform(ground.control_url)
    try:
        catalogue = platform.catalogue()
        catalogue.check([name for name in programme.names if name != HEALTHY])
        with ApiClient(ground.api_url) as api:
            day = GameDay(
                platform=platform,
                on_call=OnCall(api, answers=answers),
                narrator=narrator,
                pace=pace,
                alive=ground.alive,
            )
            return run(
                day,
                programme,
                api=api,
                catalogue=catalogue,
                status=platform.status(),
                truth=ground.truth,
                answered=answers,
                kept=kept,
                session=ground.session,
            )
    finally:
        platform.close()


def _tell(outcome: Outcome, narrator: Narrator, report: Path | None, *, as_json: bool) -> None:
    for line in summary(outcome.card):
        narrator.say("scored", line, "calm")
    if report is not None:
        page = as_html(outcome.title, outcome.card, outcome.sightings, outcome.conditions)
        write_report(report, page)
        narrator.say("report", str(report), "link")
    if as_json:
        body = {**outcome.json(), "report": str(report) if report else None}
        click.echo(orjson.dumps(body).decode())
