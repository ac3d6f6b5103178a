"""``tocsin rules list``: how every Prometheus rule stands, a line each."""

from __future__ import annotations

import click

from tocsin.client.rule_shapes import PrometheusRuleRow
from tocsin.client.wording import duration
from tocsin.terminal.answers import asking, asks, table, tell_list


@click.command("list")
@click.argument("name", required=False)
@asks()
def command(name: str | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """Print how every Prometheus rule stands, or those called NAME, of all files."""
    with asking(api_url) as api:
        found = [rule for rule in api.prometheus_rules() if name in (None, rule["name"])]
    head = ["rule", "file and group", "state", "health", "pending", "firing", "took", "why"]
    tell_list(
        found,
        lambda: table(head, [_row(rule) for rule in found]),
        empty=f"no rule {name!r}" if name else "no rules; put rule files into prometheus-rules/",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(rule: PrometheusRuleRow) -> list[str]:
    took = rule["took_s"]
    return [
        rule["name"],
        f"{rule['file']}/{rule['group']}",
        rule["state"],
        rule["health"],
        str(rule["pending"]),
        str(rule["firing"]),
        "" if took is None or not rule["evaluated_ms"] else duration(took),
        rule["fault"] or "",
    ]
