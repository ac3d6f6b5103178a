"""``tocsin explain-series``: who feeds the series of an expression, and what of that is no tag."""

from __future__ import annotations

import click

from tocsin.client.errors import ClientError
from tocsin.client.explained.series import ExplainedSeries
from tocsin.settings import load_settings
from tocsin.terminal.answers import client_of, say, say_json
from tocsin.terminal.options import setting_options

_REASONS = {
    "notChosen": "not among resource_tags",
    "tagsTooMany": "no room: more tags than a series may have",
    "valueTooLong": "its value is too long for a tag",
    "keyTooLong": "its name is too long for a tag",
}
_MERGED = {
    "summed": "{} senders have these tags; what they report is added up.",
    "newest": "{} senders report a gauge under these tags; the newest of each round is shown.",
}


@click.command("explain-series")
@click.argument("expression")
@setting_options("api_url")
@click.option("--json", "as_json", is_flag=True, help="Print the API's answer.")
def command(expression: str, as_json: bool, **overrides: object) -> None:
    """Show who sends the series of EXPRESSION over OTLP, and which attributes are no tags.

    EXPRESSION is one of the stack language, for example ``name,stream.starts,:eq``.
    """
    settings = load_settings(overrides)
    try:
        with client_of(settings) as api:
            answer = api.explain(expression)
    except ClientError as error:
        raise click.ClickException(error.message) from error
    if as_json:
        say_json(answer)
        return
    for series in answer["series"]:
        say(told(series))
    if answer["more"]:
        click.echo("There are more; narrow the expression.")
    if not answer["series"]:
        click.echo("No OTLP sender is known for it: nothing came since the server started.")


def told(series: ExplainedSeries) -> str:
    """Return one series as an operator reads it."""
    tags = ", ".join(f"{key}={value}" for key, value in sorted(series["tags"].items()))
    lines = [tags]
    if series["merged"]:
        lines.append("  " + _MERGED[series["merged"]].format(series["senderCount"]))
    if series["note"] == "histogramUnbounded":
        lines.append("  A histogram without bounds: count and mean are known, percentiles are not.")
    for sender in series["senders"]:
        lines.append(f"  from scope {sender['scope'] or '(unnamed)'}")
        lines += [
            f"    {one['attribute']}={one['value']}: {_REASONS.get(one['reason'], one['reason'])}"
            for one in sender["dropped"]
        ]
    hidden = series["senderCount"] - len(series["senders"])
    if hidden:
        lines.append(f"  and {hidden} more senders")
    return "\n".join(lines)
