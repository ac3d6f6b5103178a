"""``tocsin check-config``: everything an operator wrote, validated before it matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import orjson

from collectors.errors import ConfigError
from tocsin.settings import Settings, load_settings
from tocsin.terminal.answers import say
from tocsin.terminal.options import setting_options


def place_problems(settings: Settings) -> Sequence[ConfigError]:
    """Return what settings lack for the cluster that they ask for."""
    from tocsin.cluster.place import place_of

    try:
        place_of(settings)
    except ConfigError as error:
        return [error]
    return ()


def problems(directory: Path) -> Sequence[ConfigError]:
    """Return what keeps the server from starting."""
    from tocsin.configuration.checks import checked_configuration

    try:
        checked_configuration(directory)
    except ConfigError as error:
        return error.each()
    return ()


def asked_others(settings: Settings, directory: Path) -> Iterator[tuple[bool, ConfigError]]:
    """Yield what a running server and Slack say against it, and whether that is only a warning."""
    from runbooks.notifiers.settling import ready
    from runbooks.notifiers.slack import SlackNotifier
    from tocsin.configuration.online import unknown_channels, unknown_metrics
    from tocsin.configuration.reading import read_configuration
    from tocsin.terminal.answers import client_of

    configuration = read_configuration(directory)
    with client_of(settings) as api:
        for unknown in unknown_metrics(configuration, api):
            yield True, unknown
    set_up = ready(configuration.notifiers, settings.given_for).notifiers
    slack = next((one for one in set_up if isinstance(one, SlackNotifier)), None)
    if slack is None:
        yield (
            True,
            ConfigError(
                "Slack has no token (TOCSIN_SLACK_BOT_TOKEN): its channels are not checked, and "
                "pages for it go to the console"
            ),
        )
        return
    for missing in unknown_channels(directory, slack):
        yield False, missing


@click.command("check-config")
@setting_options(
    "config_dir",
    "api_url",
    "slack_base_url",
)
@click.option("--online", is_flag=True, help="Ask the server for metrics and Slack for channels.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, /, online: bool, as_json: bool, **overrides: object) -> None:
    """Validate the settings and the configuration directory; exit 3 when something is wrong.

    With --online also: metrics that the running server at --api-url does not hold are warnings,
    channels that Slack does not list are problems.
    """
    from tocsin.configuration.reloading import problem_row

    settings = load_settings(overrides)
    found = [] if settings.config_dir is None else list(problems(settings.config_dir))
    found += place_problems(settings)
    warnings: list[ConfigError] = []
    if online and settings.config_dir is not None and not found:
        for is_warning, told in asked_others(settings, settings.config_dir):
            (warnings if is_warning else found).append(told)
    if as_json:
        body: dict[str, object] = {"ok": not found, "problems": [*map(problem_row, found)]}
        if online:
            body["warnings"] = [*map(problem_row, warnings)]
        click.echo(orjson.dumps(body).decode())
        ctx.exit(3 if found else 0)
    for error in found:
        say(error.message)
    for warning in warnings:
        say(f"warning: {warning.message}")
    if not found:
        where = settings.config_dir or "no configuration directory"
        click.echo(f"{where}: everything is in order")
    ctx.exit(3 if found else 0)
