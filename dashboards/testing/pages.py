"""Pages run in process by Streamlit's AppTest, and what a reader finds on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboards.charts.linked.packing import unpacked

OpenPage = Callable[..., AppTest]

_APP = Path(__file__).parents[1] / "app.py"
_TIMEOUT_S = 30


def open_page(name: str, **address: str) -> AppTest:
    """Run the page ``app_pages/<name>.py`` with the given parameters in its address."""
    page = AppTest.from_file(str(_APP), default_timeout=_TIMEOUT_S)
    page.switch_page(f"app_pages/{name}.py")
    for key, value in address.items():
        page.query_params[key] = value
    return page.run()


def words(page: AppTest) -> str:
    """Return all text of a page, without the escapes of Markdown."""
    found = [*page.markdown, *page.caption, *page.warning, *page.error, *page.subheader]
    texts = [str(element.value) for element in found]
    texts += [f"{metric.label}: {metric.value}" for metric in page.metric]
    texts += [str(box.label) for box in page.expander]
    return "\n".join(texts).replace("\\", "")


def charts(page: AppTest) -> list[dict[str, Any]]:
    """Return the options of a page's ECharts charts: stacks over time first, then all others."""
    stacks = [json.loads(told.proto.json) for told in page.get("bidi_component")]
    options = [unpacked(told["option"]) for told in stacks if "option" in told]
    return options + [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]


def button(page: AppTest, key: str) -> Any:
    """Return the button with ``key``."""
    return next(found for found in page.button if found.key == key)


def answered(page: AppTest) -> AppTest:
    """Wait until the API has answered what was asked on a page, and draw the page then."""
    for one in page.session_state["asked"]:
        one.answered.result(_TIMEOUT_S)
    return page.run()
