"""The typed client against a real server: answers, errors, and graphs as columns."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.testing import FakeApi, World
from dashboards.testing.synthetic import INCIDENT_ID, TRACE_ID
from tocsin.client.client import ApiClient
from tocsin.client.errors import (
    AnswerError,
    ClientError,
    MissingError,
    RefusedError,
    UnreachableError,
    UnreadableError,
)
from tocsin.client.graphs import graph_columns
from tocsin.client.slack.preview import SlackPreviewClient

Asks = Callable[[ApiClient], object]


@pytest.fixture(name="client")
def _client(api: FakeApi) -> Iterator[ApiClient]:
    with ApiClient(api.url + "/") as client:
        yield client


def test_a_graph_comes_as_columns(client: ApiClient, now_ms: int) -> None:
    """Lines carry tags and one value a step; times are the ends of the steps."""
    graph = client.graph("name,stream.starts,:eq,:sum", start="e-5m", step_s=5)
    assert [line.tags["cloud.region"] for line in graph.lines] == ["us-east-1", "eu-west-1"]
    assert graph.times_ms[0] == graph.start_ms
    assert len(graph.times_ms) == len(graph.lines[0].values)
    assert now_ms - 5_000 < graph.times_ms[-1] <= now_ms


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda c: c.health()["step_ms"], 5_000),
        (lambda c: c.tags("cloud.region", query="name,a,:eq"), ["us-east-1", "eu-west-1"]),
        (lambda c: c.tags(), ["name", "cloud.region"]),
        (lambda c: len(c.traces(service="gateway", limit=5)), 2),
        (lambda c: c.trace(TRACE_ID)["spans"][0]["service"], "viewers"),
        (lambda c: "edge" in c.services(start_ms=0, end_ms=1)["services"], True),
        (lambda c: len(c.slos()), 3),
        (lambda c: c.findings(state="all")[0]["kind"], "anomaly"),
        (lambda c: c.incidents(state="open")[0]["id"], INCIDENT_ID),
        (lambda c: c.incident(INCIDENT_ID)["severity"], "SEV1"),
        (lambda c: c.runbooks()[0]["name"], "region-evacuation"),
        (lambda c: c.command(INCIDENT_ID, "acknowledge", actor="a")["acknowledged_by"], "a"),
    ],
)
def test_each_question_has_its_answer(client: ApiClient, ask: Asks, expected: object) -> None:
    """Every endpoint is asked by its documented path and unpacked."""
    assert ask(client) == expected


def test_a_post_mortem_comes_in_two_forms(api: FakeApi, client: ApiClient, now_ms: int) -> None:
    """Markdown and HTML are texts, not JSON."""
    api.world = World.after_incident(now_ms)
    assert client.post_mortem(INCIDENT_ID).startswith("# Post-mortem")
    assert client.post_mortem(INCIDENT_ID, form="html").startswith("<h1>")


@pytest.mark.parametrize(
    ("ask", "kind", "status", "words"),
    [
        (lambda c: c.trace("00"), MissingError, 404, "no trace '00' is kept"),
        (lambda c: c.incident("INC-0"), MissingError, 404, "no incident 'INC-0'"),
        (lambda c: c.graph("a,:nonsense", start=0), AnswerError, 400, "unknown word"),
        (
            lambda c: c.command(INCIDENT_ID, "acknowledge", actor="a"),
            RefusedError,
            409,
            "reopen it first",
        ),
    ],
)
def test_a_refusal_carries_status_and_the_servers_words(
    api: FakeApi,
    client: ApiClient,
    now_ms: int,
    ask: Asks,
    kind: type[AnswerError],
    status: int,
    words: str,
) -> None:
    """404, 409 and other refusals are told apart, and the server's message is kept."""
    api.world = World.after_incident(now_ms)
    with pytest.raises(kind, match=words) as caught:
        ask(client)
    assert caught.value.status == status


def test_nobody_there_is_unreachable() -> None:
    """A refused connection names the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with ApiClient(url) as client, pytest.raises(UnreachableError, match=url):
            client.health()


def test_a_silent_server_is_given_up_on() -> None:
    """A server that accepts and says nothing costs the timeout, no more."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1)
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with (
            ApiClient(url, timeout_s=0.05) as client,
            pytest.raises(UnreachableError, match=r"within 50 ms"),
        ):
            client.health()


@pytest.mark.parametrize("body", ["<html>", "", "[1]", '{"other": 1}'])
def test_an_answer_of_another_shape_is_unreadable(
    body: str, api: FakeApi, client: ApiClient
) -> None:
    """HTML, a list or a missing key are said to be what they are."""
    api.answer_with("/api/v2/slos", 200, body)
    with pytest.raises(UnreadableError, match="slos"):
        client.slos()


def test_the_slack_preview_is_read_and_clicked(api: FakeApi) -> None:
    """The preview lists channels; a click is answered with the app's status."""
    slack = SlackPreviewClient(api.url)
    (channel,) = slack.channels()
    message = channel["messages"][0]
    answer = slack.click(
        channel=channel["id"], ts=message["ts"], action_id="acknowledge", user="ada"
    )
    slack.close()
    assert answer["status"] == 200
    assert api.world.acknowledged_by == "ada"


@given(
    st.integers(0, 4).flatmap(
        lambda lines: st.tuples(
            st.just(lines),
            st.lists(st.lists(st.floats(), min_size=lines, max_size=lines), max_size=6),
        )
    )
)
def test_std_json_becomes_the_same_numbers(graph: tuple[int, list[list[float]]]) -> None:
    """NaN and infinities are written as strings and come back as numbers."""
    lines, rows = graph
    written = [[v if math.isfinite(v) else _worded(v) for v in row] for row in rows]
    read = graph_columns(
        {
            "start": 10_000,
            "step": 5_000,
            "legend": [f"l{i}" for i in range(lines)],
            "metrics": [{"name": f"l{i}"} for i in range(lines)],
            "values": written,
        }
    )
    assert len(read.lines) == lines
    for i, line in enumerate(read.lines):
        np.testing.assert_array_equal(line.values, [row[i] for row in rows])


def test_atlas_placeholder_for_no_data_is_no_line() -> None:
    """Where nothing matches Atlas sends one line of NaN called NO DATA."""
    graph = graph_columns(
        {
            "start": 0,
            "step": 1,
            "legend": ["NO DATA"],
            "metrics": [{"name": "NO_DATA"}],
            "values": [["NaN"], ["NaN"]],
        }
    )
    assert graph.lines == ()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"start": 0, "step": 1, "legend": ["a"], "metrics": [], "values": [[1.0]]},
        {"start": 0, "step": 1, "legend": ["a"], "metrics": [{}], "values": [["x"]]},
        {"start": 0, "step": 1, "legend": ["a"], "metrics": [{}], "values": [[1.0], [1.0, 2.0]]},
    ],
)
def test_a_malformed_graph_is_unreadable(answer: dict[str, object]) -> None:
    """Missing keys, missing tags, words for numbers and ragged rows are one error."""
    with pytest.raises(UnreadableError, match=r"not std\.json"):
        graph_columns(answer)


def test_the_tree_of_errors_has_one_root() -> None:
    """Whoever catches ClientError catches all of it."""
    for kind in (UnreachableError, AnswerError, MissingError, RefusedError, UnreadableError):
        assert issubclass(kind, ClientError)


def _worded(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
