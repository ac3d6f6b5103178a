"""Files written from a page: drafts that are checked, writing that is whole, refusals in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.tocsin.configuration.test_reload import settings, write
from tocsin.client.charting.files import FileDraft, FileWish
from tocsin.client.errors import AnswerError, RefusedError
from tocsin.saving.asked import Kind, read_wish
from tocsin.saving.drafting import drafted
from tocsin.testing import LocalTocsin, local_tocsin

CHART: FileWish = {
    "kind": "dashboard",
    "name": "till",
    "title": "Till",
    "panel": "Orders",
    "expr": "name,orders,:eq,:sum,(,kind,),:by",
    "unit": "1/s",
}
COMMENTED = """\
apiVersion: tocsin/v1
kind: Dashboard
metadata: {name: till}
spec:
  rows:
    # what pays us
    - panels:
        - {title: Orders, expr: "name,orders,:eq,:sum"}
"""


@pytest.fixture(name="tocsin")
def _tocsin(tmp_path: Path) -> Iterator[LocalTocsin]:
    """A server with a configuration directory of one objective."""
    write(tmp_path / "ops", "shop")
    with local_tocsin(settings(tmp_path)) as tocsin:
        yield tocsin


def test_a_chart_is_kept_and_another_one_joins_it(tocsin: LocalTocsin, tmp_path: Path) -> None:
    """A chart found at night would be lost by morning, or the second would cost the first."""
    files = tocsin.api.files
    written = files.write(files.draft(CHART))
    assert written["path"] == "dashboards/till.yaml"
    assert "dashboard" in " ".join(written["changes"])
    files.write(files.draft({**CHART, "panel": "Again", "expr": "name,again,:eq,:max"}))
    (board,) = tocsin.api.dashboards()
    assert (board["title"], len(board["rows"])) == ("Till", 2)
    assert board["rows"][0]["panels"][0]["expr"] == CHART["expr"]
    assert [*(tmp_path / "ops/dashboards").iterdir()] == [tmp_path / "ops/dashboards/till.yaml"]


def test_what_people_wrote_in_a_file_stays(tocsin: LocalTocsin, tmp_path: Path) -> None:
    """Comments and order are the operator's; a page must not tidy them away."""
    folder = tmp_path / "ops/dashboards"
    folder.mkdir()
    (folder / "mine.yaml").write_text(COMMENTED)
    tocsin.api.reload()
    draft = tocsin.api.files.draft(CHART)
    assert draft["path"] == "dashboards/mine.yaml"  # where the name stands already
    assert draft["text"].startswith(COMMENTED)
    assert draft["problems"] == []


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"kind": "detector", "name": "orders", "urgency": "page"}, 'group_by: ["kind"]'),
        ({"kind": "inspection", "name": "orders", "above": 5.0}, "above: 5.0"),
    ],
)
def test_an_alert_is_proposed_checked_and_watched(
    tocsin: LocalTocsin, wish: FileWish, told: str
) -> None:
    """From a chart to a rule that judges its lines, without an editor."""
    draft = tocsin.api.files.draft({**CHART, **wish})
    assert told in draft["text"]
    assert draft["problems"] == []
    assert tocsin.api.files.write(draft)["changes"] == [f"{wish['kind']} orders added"]
    written = tocsin.api.files.draft({**CHART, **wish})
    assert written["text"] == draft["text"]  # the same again takes its own place


def test_mistakes_are_told_as_check_config_tells_them_and_nothing_is_written(
    tocsin: LocalTocsin, tmp_path: Path
) -> None:
    """A file with a slip would hold up every later reload."""
    draft = tocsin.api.files.draft({**CHART, "kind": "inspection"})
    (problem,) = draft["problems"]
    assert "give either above or below" in problem["message"]
    assert str(problem["file"]).startswith(str(tmp_path / "ops"))
    with pytest.raises(RefusedError, match="would have mistakes"):
        tocsin.api.files.write(draft)
    assert not (tmp_path / "ops/inspections").exists()


def test_what_somebody_changed_meanwhile_is_not_overwritten(
    tocsin: LocalTocsin, tmp_path: Path
) -> None:
    """Two people at two pages: the second looks again instead of winning."""
    files = tocsin.api.files
    first = files.draft(CHART)
    files.write(first)
    with pytest.raises(RefusedError, match="changed meanwhile"):
        files.write(first)
    kept = (tmp_path / "ops/dashboards/till.yaml").read_text()
    stale = FileDraft(**{**first, "replaces": "0" * 16})
    with pytest.raises(RefusedError):
        files.write(stale)
    assert (tmp_path / "ops/dashboards/till.yaml").read_text() == kept


def test_without_a_directory_it_says_so(tmp_path: Path) -> None:
    """A button that fails only when it is pressed makes people write things twice."""
    with local_tocsin(settings(tmp_path).model_copy(update={"config_dir": None})) as tocsin:
        state = tocsin.api.files.state()
        assert (state["writable"], "--config-dir" in state["why_not"]) == (False, True)
        with pytest.raises(RefusedError, match="config-dir"):
            tocsin.api.files.draft(CHART)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "../people"}, "'name' must be"),
        ({"kind": "notifiers"}, "'kind' must be one of"),
        ({"expr": ""}, "'expr' must be"),
        ({"title": "a\nb: c"}, "one line"),
        ({"above": "much"}, "'above' must be a number"),
        ({"panel": "x" * 301}, "at most 300"),
    ],
)
def test_what_cant_be_a_file_is_refused(
    tocsin: LocalTocsin, wrong: dict[str, object], told: str
) -> None:
    """A path that climbs, or a kind that holds secrets, is no file of a page's."""
    with pytest.raises(AnswerError, match=told):
        tocsin.api.files.draft({**CHART, **wrong})  # type: ignore[typeddict-item] # on purpose


def test_a_readers_words_are_texts_whatever_they_look_like() -> None:
    """A title that is YAML would become part of the file."""
    title = 'yes: "[*]" # {a: b}'
    wish = read_wish({**CHART, "title": title, "panel": "no", "unit": "null"})
    told = yaml.safe_load(drafted(wish, ""))
    assert told["metadata"]["displayName"] == title
    panel = told["spec"]["rows"][0]["panels"][0]
    assert (panel["title"], panel["unit"]) == ("no", "null")
    again = yaml.safe_load(drafted(wish, yaml.safe_dump(told, default_flow_style=True)))
    assert len(again["spec"]["rows"]) == 2
    assert wish.kind is Kind.DASHBOARD
