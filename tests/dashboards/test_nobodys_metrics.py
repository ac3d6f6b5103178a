"""Pages know no platform: what is special about the demo stands in its configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
# Names that the OpenTelemetry conventions give, so that anybody's service has them.
_COMMON = ("http.", "rpc.", "db.", "messaging.", "process.", "jvm.", "system.", "container.")


def own_names() -> list[str]:
    """Return the names of metrics that only the demo platform has."""
    schema = yaml.safe_load((ROOT / "demo_stack/ops/telemetry-schema.yaml").read_text())
    return [name for name in schema["metrics"] if not name.startswith(_COMMON)]


PAGES = sorted(
    path
    for path in (ROOT / "dashboards").rglob("*.py")
    if "testing" not in path.relative_to(ROOT).parts
)


def test_the_demo_has_names_of_its_own() -> None:
    """A search for nothing would find nothing everywhere."""
    assert "stream.starts" in own_names()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_knows_a_metric_of_the_demo(path: Path) -> None:
    """Everybody else's page would have a hole where the demo's chart is."""
    text = path.read_text(encoding="utf-8")
    assert [name for name in own_names() if name in text] == []


def test_the_demos_charts_are_a_file_like_anybodys() -> None:
    """The demo's war room would be empty."""
    text = (ROOT / "demo_stack/ops/dashboards/streaming.yaml").read_text(encoding="utf-8")
    assert "stream.starts" in text
