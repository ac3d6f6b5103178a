"""``tocsin explain-series``: what an operator reads, as the documentation shows it."""

from pathlib import Path
from typing import cast

import orjson
import pytest
from click.testing import CliRunner

from tocsin.client.client import ApiClient
from tocsin.client.explained.series import ExplainedSeries
from tocsin.commands import explain_series
from tocsin.commands.explain_series import told

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "receivers.md").read_text()
SHOP: ExplainedSeries = {
    "tags": {"name": "shop.orders", "service.name": "shop", "host.name": "box"},
    "statistics": ["count"],
    "merged": "summed",
    "note": "",
    "senderCount": 2,
    "senders": [
        {
            "scope": "shop",
            "lastMs": 1,
            "dropped": [{"attribute": "process.pid", "value": pid, "reason": "notChosen"}],
        }
        for pid in ("101", "102")
    ],
}


def test_the_documented_answer() -> None:
    """A reader of the documentation would see something else."""
    shown = PAGE.partition("$ tocsin explain-series ")[2].partition("```")[0]
    assert told(SHOP) == shown.partition("\n")[2].rstrip()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"merged": "newest"}, "the newest of each round is shown"),
        ({"merged": "", "note": "histogramUnbounded"}, "percentiles are not"),
        ({"senderCount": 30}, "and 28 more senders"),
        ({"senders": [{"scope": "", "lastMs": 1, "dropped": []}]}, "(unnamed)"),
    ],
)
def test_what_is_not_known_or_not_shown_is_said(change: dict[str, object], expected: str) -> None:
    """An operator would take what is left out for all there is."""
    assert expected in told(cast("ExplainedSeries", {**SHOP, **change}))


def test_the_command_prints_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command would answer nothing, or something else than the API."""
    answer = {"series": [SHOP], "more": True}
    monkeypatch.setattr(ApiClient, "explain", lambda *_: answer)
    text = CliRunner().invoke(explain_series.command, ["name,shop.orders,:eq"]).output
    assert "process.pid=102" in text
    assert "There are more" in text
    shown = CliRunner().invoke(explain_series.command, ["name,shop.orders,:eq", "--json"]).output
    assert orjson.loads(shown) == answer
