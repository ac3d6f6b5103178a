"""The Helm chart: rendered as Helm does with what it uses of Helm, and compared with what there is.

Helm itself is not asked: it comes by no registry that the tests may use. The chart keeps to
``.Values`` and ``.Release.Name``, so that replacing these is all of its rendering.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.tocsin.documents.blocks import DOCS, understood
from tocsin.settings import Shape, setting_rows

CHART = DOCS / "how-to" / "helm" / "tocsin"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))


def rendered() -> list[dict[str, Any]]:
    """Return every object of the chart with the values that come with it."""
    found = []
    for path in TEMPLATES:
        text = path.read_text().replace("{{ .Release.Name }}", "tocsin")
        text = re.sub(r"{{ \.Values\.(\w+) }}", lambda match: str(VALUES[match[1]]), text)
        assert "{{" not in text, path
        found += [one for one in yaml.safe_load_all(text) if one]
    return found


def containers() -> list[dict[str, Any]]:
    """Return the containers of all pods."""
    pods = [one["spec"]["template"] for one in rendered() if "template" in one["spec"]]
    return [container for pod in pods for container in pod["spec"]["containers"]]


def test_it_sets_what_can_be_set() -> None:
    """A misspelt setting is refused by no cluster, and by nobody who reads the chart."""
    known = {row.variable for row in setting_rows()}
    set_here = {one["name"] for container in containers() for one in container["env"]}
    assert set_here - known == set()
    assert VALUES["cluster"] in set(Shape)


@pytest.mark.parametrize("at", range(len(containers())))
def test_it_starts_what_there_is(at: int) -> None:
    """A wrong option is found at the next roll-out, when it is too late."""
    program, *words = containers()[at]["args"]
    assert program == "tocsin"
    understood(words)


def test_services_lead_to_ports_that_are_open() -> None:
    """Senders would be refused at a door that nobody opened."""
    defaults = {row.default for row in setting_rows() if row.name.endswith("_port")}
    services = [one for one in rendered() if one["kind"] == "Service"]
    ports = {port["name"]: port["port"] for one in services for port in one["spec"]["ports"]}
    opened = {one["name"]: one["containerPort"] for c in containers() for one in c["ports"]}
    assert ports == opened
    assert {str(port) for port in ports.values()} <= defaults


def test_pods_are_found_by_their_services() -> None:
    """A service whose selector fits no pod answers nobody."""
    pods = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in rendered()
        if "template" in one["spec"]
    ]
    services = [one["spec"]["selector"] for one in rendered() if one["kind"] == "Service"]
    assert all(any(selector.items() <= pod.items() for pod in pods) for selector in services)
    [nodes] = [one for one in rendered() if one["kind"] == "StatefulSet"]
    names = {one["metadata"]["name"] for one in rendered() if one["kind"] == "Service"}
    assert nodes["spec"]["serviceName"] in names
    assert nodes["spec"]["replicas"] == {"one": 1, "pair": 2}[VALUES["cluster"]]
