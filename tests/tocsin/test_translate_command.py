"""``tocsin translate``: what is printed where, and its exit codes."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from tocsin.commands import translate

CASES = {
    "to PromQL": (["name,x_total,:eq", "--step", "10s"], 0, "sum(rate(x_total[20s]))\n", ""),
    "to a program": (["sum(rate(x_total[2m]))"], 0, "name,x_total,:eq,:sum\n", ""),
    "a counter by its option": (
        ["name,hits,:eq", "--counter", "hits"],
        0,
        "sum(rate(hits[2m]))\n",
        "approximately: hits is taken for a counter",
    ),
    "a gauge by its option": (["name,x_total,:eq", "--gauge", "x_total"], 0, "sum(x_total)\n", ""),
    "no translation": (["name,x,:eq,5,:rolling-max"], 3, "", "tocsin: no translation: :rolling"),
    "said which": (["7", "--to", "promql"], 0, "7\n", ""),
    "a bad step": (["7", "--step", "soon"], 2, "", "'soon' is not a duration"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_told(name: str) -> None:
    """A script that pipes the expression on would pipe remarks, or go on without one."""
    arguments, code, out, said = CASES[name]
    result = CliRunner().invoke(translate.command, arguments)
    assert (result.exit_code, result.stdout) == (code, out)
    assert said in result.stderr


def test_as_json() -> None:
    """A tool that moves a hundred panels would have to read sentences."""
    found = [
        orjson.loads(CliRunner().invoke(translate.command, [text, "--json"]).stdout)
        for text in ("sum(rate(x_total[5m]))", "topk(5, x)")
    ]
    assert found[0]["text"] == "name,x_total,:eq,:sum"
    assert found[0]["approximations"][0].startswith("rate is the mean over 300 s")
    assert found[1]["text"] is None
    assert "no topk()" in found[1]["reason"]
