"""``tocsin slo new``: an objective from the metrics that a running server has of a service."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import click

from collectors.errors import ConfigError
from tocsin.client.client import ApiClient
from tocsin.commands.changes import parsed_ms
from tocsin.duration import Duration
from tocsin.settings import load_settings
from tocsin.starting.availability import availability
from tocsin.starting.current import current
from tocsin.starting.documents import objective, slug
from tocsin.starting.indicator import Indicator
from tocsin.starting.latency import latency
from tocsin.starting.seen import Seen, look, service_names
from tocsin.starting.writing import write_new
from tocsin.terminal.answers import asking, asks, say_json
from tocsin.terminal.options import setting_options

KINDS = ("availability", "latency")
_TARGETS = {"availability": "99.9", "latency": "99"}
_WINDOW = "30d"
_THRESHOLD = "500ms"


@click.command("new")
@click.argument("service", required=False)
@click.option("--indicator", type=click.Choice(KINDS), help="What is promised. [availability]")
@click.option("--target", help="Percent of good events. [99.9; latency 99]")
@click.option("--window", help="Length of the error budget, rolling. [30d]")
@click.option("--threshold", help="With latency: what is fast enough. [500ms]")
@click.option("--name", help="Of the document. [SERVICE-INDICATOR]")
@click.option("--print", "only_print", is_flag=True, help="Print it and write nothing.")
@setting_options("config_dir")
@asks(fail_empty=False)
def command(
    service: str | None,
    indicator: str | None,
    target: str | None,
    window: str | None,
    threshold: str | None,
    name: str | None,
    only_print: bool,
    config_dir: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Write an OpenSLO file for SERVICE from the metrics that a running server has of it.

    What counts requests, and which of them failed, is told by OpenTelemetry's semantic conventions,
    by the labels that Prometheus's clients give, or by a counter of errors. On a terminal what is
    not given is asked for. The file goes to slos/ in the configuration directory; one that is there
    is never overwritten.
    """
    settings = load_settings({"config_dir": config_dir, "api_url": api_url})
    if settings.config_dir is None and not only_print:
        raise ConfigError("no configuration directory: set TOCSIN_CONFIG_DIR or give --config-dir")
    with asking(api_url) as api:
        asks_people = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
        if service is None and asks_people:
            service = _ask("Service", list(service_names(api)))
        kind = indicator or (_ask("Indicator", list(KINDS)) if asks_people else KINDS[0])
        default = _TARGETS[kind]
        if target is None:
            target = click.prompt("Target, percent", default) if asks_people else default
        if window is None:
            window = click.prompt("Window", _WINDOW) if asks_people else _WINDOW
        seen = look(api, service)
        found = recognised(api, seen, kind, threshold or _THRESHOLD)
        promised = share(target)
        words = current(api, found).words(float(promised))
    name = name or f"{slug(seen.service)}-{kind}"
    text = objective(seen, found, name=name, target=promised, window=checked_window(window))
    path = None if only_print else settings.config_dir
    _tell(seen, found, text, words, path and path / "slos" / f"{name}.yaml", as_json=as_json)


def _ask(what: str, choices: list[str]) -> str:
    if not choices:
        raise ConfigError("no service has been seen yet: point one here first")
    return str(click.prompt(what, choices[0], type=click.Choice(choices)))


def recognised(api: ApiClient, seen: Seen, kind: str, threshold: str) -> Indicator:
    """Return the indicator of a service.

    Raises:
        ConfigError: Its metrics tell none; what was looked for, and what to do.
    """
    if kind == "availability":
        found = availability(api, seen)
        wanted = "counts requests and tells which failed (a histogram such as http.server."
        wanted += "request.duration, or a counter with a status code or an outcome)"
    else:
        found = latency(api, seen, parsed_ms(threshold, "--threshold") / 1_000)
        wanted = "measures how long requests take (a histogram in a unit of time)"
    if found is None:
        shown = ", ".join(seen.metrics[:15]) + (", …" if len(seen.metrics) > 15 else "")
        raise ConfigError(f"none of {seen.service}'s metrics {wanted}; it has {shown}")
    return found


def share(target: str) -> Fraction:
    """Return the share of a percentage such as ``99.9``."""
    try:
        promised = Fraction(target.removesuffix("%").strip()) / 100
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"{target!r} is not a percentage such as 99.9") from None
    if not Fraction(1, 2) <= promised < 1:
        raise click.BadParameter(f"{target!r}: a target is at least 50 and below 100 percent")
    return promised


def checked_window(text: str) -> str:
    """Return a window as OpenSLO writes it."""
    parsed_ms(text, "--window")
    return str(Duration.parse(text))


def _tell(
    seen: Seen, found: Indicator, text: str, words: str, path: Path | None, *, as_json: bool
) -> None:
    written = None if path is None else write_new(path, text)
    if written is False:
        raise ConfigError(f"{path} is there already and is left alone: give --name for another")
    if as_json:
        body = {"service": seen.service, "indicator": found.kind, "metric": found.metric}
        doubts = list(found.doubts)
        say_json({**body, "file": str(path) if path else None, "now": words, "doubts": doubts})
        return
    if path is None:
        click.echo(text, nl=False)
    say = [f"{path} written"] if path else []
    say += [f"{seen.service}, {found.title}: {words}", f"by {found.metric}: {found.why}"]
    say += [f"careful: {doubt}" for doubt in found.doubts]
    say += ["`tocsin reload` puts it into force"] if path else []
    click.echo("\n".join(say), err=path is None)
