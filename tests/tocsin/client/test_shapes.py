"""The shapes that the client promises are what the server sends, and what the pages' fake sends."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from dashboards.testing import FakeApi, World
from dashboards.testing.synthetic import INCIDENT_ID, TRACE_ID
from runbooks.notifiers.slack_layout import ACKNOWLEDGE
from tocsin.client.client import ApiClient
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.testing import START_MS, LocalTocsin

QUERY = "name,stream.starts,:eq,:sum"
TRACE = "a".rjust(32, "0")
# Asks with the client, an incident's id and a trace's.
Ask = Callable[[ApiClient, str, str], object]
GRAPH: dict[str, str | int | float] = {"q": QUERY, "s": "e-5m", "e": "now", "format": "std.json"}
ASK: dict[str, Ask] = {
    "health": lambda api, _i, _t: api.health(),
    "sources": lambda api, _i, _t: api.sources(),
    "graph": lambda api, _i, _t: api.graph(QUERY, start="e-5m", step_s=5),
    "graph_bytes": lambda api, _i, _t: api.graph_bytes(GRAPH),
    "graph_url": lambda api, _i, _t: api.graph_url(QUERY, start="e-5m"),
    "explain": lambda api, _i, _t: api.explain(QUERY),
    "tags": lambda api, _i, _t: api.tags("cloud.region"),
    "metrics": lambda api, _i, _t: api.metrics(search="start"),
    "metric_tags": lambda api, _i, _t: api.metric_tags("name,stream.starts,:eq"),
    "complete": lambda api, _i, _t: api.complete("name,stream.starts,:eq"),
    "dashboards": lambda api, _i, _t: api.dashboards(),
    "changes": lambda api, _i, _t: api.changes(
        start_ms=START_MS - 3_600_000, end_ms=START_MS + 3_600_000, service="playback"
    ),
    "detectors": lambda api, _i, _t: api.detectors(),
    "expected": lambda api, _i, _t: api.expected(QUERY, start="e-5m"),
    "traces": lambda api, _i, _t: api.traces(service="gateway", limit=5),
    "trace": lambda api, _i, trace: api.trace(trace),
    "services": lambda api, _i, _t: api.services(start_ms=START_MS, end_ms=START_MS + 900_000),
    "slos": lambda api, _i, _t: api.slos(),
    "service_health": lambda api, _i, _t: api.service_health(),
    "capacity": lambda api, _i, _t: api.capacity(),
    "settings": lambda api, _i, _t: api.settings(),
    "cluster": lambda api, _i, _t: api.cluster(),
    "finding_decisions": lambda api, _i, _t: api.finding_decisions(limit=20),
    "inspections": lambda api, _i, _t: api.inspections(),
    "incident_report": lambda api, _i, _t: api.incident_report(days=7),
    "oncall": lambda api, _i, _t: api.oncall(days=30),
    "escalations": lambda api, _i, _t: api.escalations(at_ms=1),
    "override": lambda api, _i, _t: api.override(
        "platform", "sam", start_ms=START_MS, end_ms=START_MS + 400 * 86_400_000, actor="ana"
    ),
    "overrides": lambda api, _i, _t: api.overrides(),
    "cancel_override": lambda api, _i, _t: api.cancel_override(1, actor="ana"),
    "findings": lambda api, _i, _t: api.findings(state="all"),
    "incidents": lambda api, _i, _t: api.incidents(),
    "incident": lambda api, incident, _t: api.incident(incident),
    "screen": lambda api, incident, _t: api.screen(incident),
    "command": lambda api, incident, _t: api.command(incident, "acknowledge", actor="ana"),
    "post_mortem": lambda api, incident, _t: api.post_mortem(incident),
    "runbooks": lambda api, _i, _t: api.runbooks(),
}
# What the pages don't ask, and their fake does not answer.
TERMINAL: dict[str, Ask] = {
    "announce": lambda api, _i, _t: api.announce({"summary": "Deployed", "time_ms": START_MS}),
    "changes": lambda api, _i, _t: api.changes(start_ms=START_MS, end_ms=START_MS + 900_000),
    "audit": lambda api, _i, _t: api.audit(),
    "prometheus_rules": lambda api, _i, _t: api.prometheus_rules(),
    "beat": lambda api, _i, _t: api.beat("story"),
    "heartbeats": lambda api, _i, _t: api.heartbeats(),
    "oncall_calendar": lambda api, _i, _t: api.oncall_calendar("platform"),
    "declare": lambda api, _i, _t: api.declare("Checkout slow", actor="ana", service="checkout"),
    "whoami": lambda api, _i, _t: api.whoami(),
    "reload": lambda api, _i, _t: api.reload(),
    "explain_slo": lambda api, _i, _t: api.explain_slo(api.slos()[0]["name"]),
}
# Of queries that run for a moment: test_asking_commands.py has one that stays.
FLEETING: dict[str, Ask] = {
    "queries": lambda api, _i, _t: api.queries(),
    "cancel_query": lambda api, _i, _t: api.cancel_query(1),
}
# Of what is asked for by parts of the client with tests of their own.
OWN_TESTS = {
    *("explain_groups", "runs", "run", "begin_run", "rehearse_run", "decide_run"),
    *("canary", "forecast", "service_health_of"),
    *("drain_node", "remove_node"),
    *("public_links", "make_public_link", "revoke_public_link"),
}
OPEN = {name: ask for name, ask in ASK.items() if name != "post_mortem"}  # there is none yet
OVER = {name: ask for name, ask in ASK.items() if name != "command"}  # none is possible any more
SLACK: dict[str, Callable[[SlackPreviewClient], object]] = {
    "channels": lambda slack: slack.channels(),
    "click": lambda slack: slack.click(
        channel=page_of(slack)[0], ts=page_of(slack)[1], action_id=ACKNOWLEDGE, user="U1"
    ),
}


def page_of(slack: SlackPreviewClient) -> tuple[str, str]:
    """Channel and id of the newest message."""
    channel = next(channel for channel in slack.channels() if channel["messages"])
    return channel["id"], channel["messages"][0]["ts"]


def methods(client: type) -> set[str]:
    """Public methods by which a client asks."""
    known = {n: m for kind in client.__mro__[:-1] for n, m in vars(kind).items()}
    return {n for n, m in known.items() if n[0] != "_" and callable(m)} - {"close"}


def differences(shape: Any, value: object, path: str = "") -> Iterator[str]:
    """Say where ``value`` is not of ``shape``: a wrong type, a lacking field, one too many."""
    if typing.is_typeddict(shape):
        yield from _fields(shape, value, path)
    elif get_origin(shape) is list and isinstance(value, list):
        for i, item in enumerate(value):
            yield from differences(get_args(shape)[0], item, f"{path}[{i}]")
    elif get_origin(shape) is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from differences(get_args(shape)[1], item, f"{path}.{key}")
    elif get_args(shape) and get_origin(shape) not in {list, dict}:
        if not any(not [*differences(one, value)] for one in get_args(shape)):
            yield f"{path}: {value!r:.80} is no {shape}"
    elif not _is_a(shape, value):
        yield f"{path}: {value!r:.80} is no {shape}"


def _fields(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r:.80} is no {shape.__name__}"
        return
    hints = get_type_hints(shape, include_extras=True)
    for key in value.keys() - hints.keys():
        yield f"{path}.{key}: {shape.__name__} does not know it"
    for key, hint in hints.items():
        optional = get_origin(hint) is typing.NotRequired
        if key in value:
            inner = get_args(hint)[0] if optional else hint
            yield from differences(inner, value[key], f"{path}.{key}")
        elif not optional:
            yield f"{path}.{key}: lacking"


def _is_a(shape: Any, value: object) -> bool:
    if shape is Any:
        return True
    if isinstance(value, bool) or shape is bool:
        return isinstance(value, bool) and shape is bool
    return isinstance(value, (int, float) if shape is float else shape)


def returned_by(method: object) -> Any:
    """The shape that a method promises."""
    return get_type_hints(method)["return"]


def test_every_way_to_ask_is_checked() -> None:
    """A method without a row below could promise anything."""
    assert {*ASK, *TERMINAL, *FLEETING, *OWN_TESTS} == methods(ApiClient)
    assert set(SLACK) == methods(SlackPreviewClient)


def wrong_answers(
    api: ApiClient, asks: Mapping[str, Ask], incident: str, trace: str
) -> dict[str, list[str]]:
    """Ask everything; return the differences from what each method promises, by its name."""
    answers = {name: ask(api, incident, trace) for name, ask in asks.items()}
    assert [name for name, answer in answers.items() if not answer] == []
    found = {
        name: [*differences(returned_by(getattr(ApiClient, name)), answer)]
        for name, answer in answers.items()
    }
    return {name: wrong for name, wrong in found.items() if wrong}


def test_the_server_sends_what_the_client_promises(paged: LocalTocsin) -> None:
    """A field of another type, one too few or one too many misleads whoever reads the shapes."""
    incident = paged.api.incidents()[0]["id"]

    assert wrong_answers(paged.api, OPEN | TERMINAL, incident, TRACE) == {}


def test_an_incident_that_is_over_has_the_same_shape(paged: LocalTocsin) -> None:
    """What is null while it is open, such as the post-mortem's address, has a type afterwards."""
    incident = paged.api.incidents()[0]["id"]
    paged.api.command(incident, "resolve", actor="ana", text="rolled back")
    paged.run(60)

    assert wrong_answers(paged.api, OVER, incident, TRACE) == {}
    assert paged.api.incident(incident)["post_mortem"] is not None


def test_slack_sends_what_the_client_promises(
    paged: LocalTocsin, slack: SlackPreviewClient
) -> None:
    """The preview's messages and what a pressed button is answered."""
    assert paged.desk.ledger.incidents()
    answers = {name: ask(slack) for name, ask in SLACK.items()}

    wrong = {
        name: found
        for name, answer in answers.items()
        if (found := [*differences(returned_by(getattr(SlackPreviewClient, name)), answer)])
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("world", "asks"), [(World.in_incident, OPEN), (World.after_incident, OVER)]
)
def test_the_fake_of_the_pages_sends_the_same_shapes(
    world: Callable[[int], World], asks: Mapping[str, Ask]
) -> None:
    """Pages that are tried on a fake with other fields are not tried at all."""
    with FakeApi(world(START_MS)) as fake, ApiClient(fake.url) as api:
        wrong = wrong_answers(api, asks, INCIDENT_ID, TRACE_ID)
        slack = SlackPreviewClient(fake.url)
        channels = slack.channels()
        slack.close()

    assert wrong == {}
    assert [*differences(returned_by(SlackPreviewClient.channels), channels)] == []


@pytest.mark.parametrize(
    ("shape", "value", "found"),
    [
        (int, 1.5, [": 1.5 is no <class 'int'>"]),
        (float, 1, []),
        (float, True, [": True is no <class 'float'>"]),
        (list[str], ["a", 1], ["[1]: 1 is no <class 'str'>"]),
        (dict[str, int], {"a": "b"}, [".a: 'b' is no <class 'int'>"]),
        (float | None, None, []),
    ],
)
def test_the_check_itself_sees_what_is_wrong(shape: Any, value: object, found: list[str]) -> None:
    """A check that finds nothing proves nothing."""
    assert [*differences(shape, value)] == found
