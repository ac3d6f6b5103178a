"""Graphs over HTTP: data, images, errors and limits."""

from __future__ import annotations

import json
import struct
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.api.graph import check_limits
from collectors.api.graph_request import GraphFormat
from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.store.metric_store import MetricStore

END = "e=2012-01-01T09:00"
SPS = "name,sps,:eq"
BY_CLUSTER = f"{SPS},(,nf.cluster,),:by"
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}


def png_size(image: bytes) -> tuple[int, int]:
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def uri(q: str, rest: str = "") -> str:
    return f"/api/v1/graph?{urlencode({'q': q})}&{END}&{rest}"


def test_the_data_of_a_grouped_query(client: TestClient) -> None:
    """The numbers of the most common question would be wrong or at wrong times."""
    answer = client.get(uri(BY_CLUSTER, "s=e-3m&format=std.json"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content["start"] == 1_325_408_400_000 - 120_000
    assert content["step"] == 60_000
    assert content["values"] == [[28.0, 84.0], [29.0, 87.0], [30.0, 90.0]]
    assert content["legend"] == ["(nf.cluster=nccp-ps3)", "(nf.cluster=nccp-xbox)"]
    assert content["metrics"][0] == {
        "atlas.offset": "0w",
        "name": "sps",
        "nf.cluster": "nccp-ps3",
    }


@pytest.mark.parametrize(
    ("q", "legend"),
    [
        (f"{BY_CLUSTER},$nf.cluster,:legend", ["nccp-ps3", "nccp-xbox"]),
        (f"{BY_CLUSTER},$(atlas.max)+of+$name,:legend", ["30.0 of sps", "90.0 of sps"]),
        (f"{SPS},5m,:offset,$(name)+$(atlas.offset),:legend", ["sps 5m"]),
        (f"{BY_CLUSTER},max,:sort,desc,:order,$nf.cluster,:legend", ["nccp-xbox", "nccp-ps3"]),
        (f"{BY_CLUSTER},max,:sort,desc,:order,1,:limit,$nf.cluster,:legend", ["nccp-xbox"]),
        ("1,one,:legend,2,two,:legend", ["one", "two"]),
        (f"{SPS},(,0m,1m,),:offset,$(atlas.offset),:legend", ["0w", "1m"]),
    ],
)
def test_legends_order_and_limits(client: TestClient, q: str, legend: list[str]) -> None:
    """A graph would show other lines than the largest, or name them wrongly."""
    answer = client.get(uri(q.replace("+", " "), "s=e-30m&format=stats.json"))
    assert answer.json()["legend"] == legend


def test_unstable_features_bring_short_legends(client: TestClient) -> None:
    """Short legends would be given to all, or to nobody."""
    stable = client.get(uri(BY_CLUSTER, "format=stats.json")).json()["legend"]
    short = client.get(uri(BY_CLUSTER, "format=stats.json&features=unstable")).json()["legend"]
    assert stable == ["(nf.cluster=nccp-ps3)", "(nf.cluster=nccp-xbox)"]
    assert short == ["nccp-ps3", "nccp-xbox"]


def test_sorting_by_the_request_goes_before_that_of_the_expression(client: TestClient) -> None:
    """A parameter of the request would have no effect, or a wrong one stop it."""
    q = f"5,five,:legend,{BY_CLUSTER},$nf.cluster,:legend"
    answer = client.get(uri(q, "s=e-30m&format=stats.json&sort=max&order=desc")).json()
    assert answer["legend"] == ["nccp-xbox", "nccp-ps3", "five"]
    wrong = client.get(uri(q, "s=e-30m&format=stats.json&sort=foo")).json()
    assert wrong["notices"] == ["Invalid sort mode 'foo'. Using default of 'legend'."]


def test_text_formats_as_the_public_documentation_shows_them(client: TestClient) -> None:
    """Scripts written for Atlas would read other texts."""
    q = "hourOfDay,:time,minuteOfHour,:time,NaN"
    assert client.get(uri(q, "s=e-5m&format=csv&tz=UTC")).text == (
        '"timestamp","hourOfDay","minuteOfHour","NaN"\n'
        "2012-01-01T08:56:00Z,8.000000,56.000000,NaN\n"
        "2012-01-01T08:57:00Z,8.000000,57.000000,NaN\n"
        "2012-01-01T08:58:00Z,8.000000,58.000000,NaN\n"
        "2012-01-01T08:59:00Z,8.000000,59.000000,NaN\n"
        "2012-01-01T09:00:00Z,9.000000,0.000000,NaN\n"
    )


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("layout=image&w=400&h=175", (400, 175)),
        ("layout=image&w=400&h=175&zoom=0.2", (80, 35)),
        ("layout=iw&w=400&no_legend=1", (400, 329)),
        ("layout=ih&h=175", (788, 175)),
        ("only_graph=1", (700, 305)),
        ("no_legend=1", (788, 329)),
        ("no_legend=1&axis_per_line=1", (828, 329)),
        ("no_legend=1&tz=UTC&tz=US/Pacific&title=$name", (788, 329 + 24 + 19)),
        ("", (788, 329 + 10 + 2 * 61 + 15 + 14)),
    ],
)
def test_an_image_has_the_size_that_was_asked_for(
    client: TestClient, query: str, size: tuple[int, int]
) -> None:
    """Pages that reserve room for an image would shift or clip it."""
    answer = client.get(uri(BY_CLUSTER, query))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert png_size(answer.content) == size


@pytest.mark.parametrize(
    ("q", "query"),
    [
        ("42,:area,40,:alpha,f00,:color", ""),
        (f"{BY_CLUSTER},:stack", "palette=hash:reds&vision=protanopia&theme=dark"),
        (f"{BY_CLUSTER},:heatmap", "heatmap_palette=greens&heatmap_scale=sqrt&heatmap_u=5"),
        (f"{SPS},:sum,:dup,20,:gt,:vspan,40,:alpha", "scale=log-linear"),
        (f"{SPS},:sum,1,:axis,42,2,:lw", "u.1=100&l.1=0&ylabel.1=one&scale.1=pow2"),
        ("NaN,:stack", "tick_labels=binary&step=5m"),
        (f"{SPS},(,),:offset", ""),
        ("0,1,2,3,4,5,6", "axis_per_line=1"),
        ("42", "w=5000&h=7500&zoom=9"),
        ("1,red1,:color,1,gray2,:color", "stack=1"),
    ],
)
def test_styles_and_options_are_drawn(client: TestClient, q: str, query: str) -> None:
    """A style or an option would end in an error instead of an image."""
    answer = client.get(uri(q, query))
    assert answer.status_code == 200, answer.text
    width, height = png_size(answer.content)
    assert 64 <= width <= 5000
    assert 64 <= height <= 3000


def test_axes_take_the_opaque_color_of_their_lines_unless_told_not_to(client: TestClient) -> None:
    """With two axes nobody could tell which line belongs to which."""
    q = "1,40ff0000,:color,2,1,:axis,0f0,:color"

    def colors(query: str) -> list[str | None]:
        items = client.get(uri(q, f"format=v2.json&{query}")).json()
        return [i.get("axisColor") for i in items if i["type"] == "plot-metadata"]

    assert colors("hints=no-image") == ["ff0000ff", "00ff00ff"]
    assert colors("hints=no-image,ambiguous-multi-y") == [None, None]


@pytest.mark.parametrize(
    ("q", "message"),
    [
        ("name,sps,:foo", "IllegalStateException: unknown word ':foo'"),
        ("foo", "IllegalArgumentException: expecting time series expr, found String 'foo'"),
        ("1,:add", "IllegalStateException: no matches for word ':add'"),
        ("1,9,:axis", "IllegalArgumentException: invalid axis '9'"),
        ("1,zzz,:color", "IllegalArgumentException: "),
        ("1,nope,:palette", "IllegalArgumentException: "),
        (
            f"{SPS},(,{'0h,' * 900}),:offset,:dup,:dup",
            "IllegalArgumentException: too many expressions: 27",
        ),
    ],
)
def test_a_wrong_program_is_answered_with_the_reason(
    client: TestClient, q: str, message: str
) -> None:
    """The author of an expression would not learn what is wrong with it."""
    answer = client.get(uri(q))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["type"] == "error"
    assert answer.json()["message"].startswith(message)


def test_a_browser_sees_an_error_as_an_image(client: TestClient) -> None:
    """A dashboard would show a broken image instead of the reason."""
    answer = client.get(uri("name,sps,:foo"), headers=BROWSER)
    assert answer.status_code == 200
    assert png_size(answer.content)[0] == 700
    as_json = client.get(uri("name,sps,:foo", "format=json"), headers=BROWSER)
    assert as_json.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", 404, "NoSuchElementException"),
        ("POST", "/api/v1/graph?q=1", 405, "UnsupportedOperationException"),
        ("GET", "/api/v1/graph?q=" + "1," * 20_000, 413, "EntityStreamSizeException"),
    ],
)
def test_other_refusals_have_the_same_form(
    client: TestClient, method: str, path: str, status: int, kind: str
) -> None:
    """A client would need another reader for each kind of refusal."""
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(f"{kind}: ")


@pytest.mark.parametrize(
    ("lines", "steps", "word"),
    [
        (1025, 10, "too many lines: 1025 > 1024"),
        (1000, 501, "too many datapoints: 501000 > 500000"),
    ],
)
def test_an_answer_over_a_limit_is_refused(lines: int, steps: int, word: str) -> None:
    """One request could take all of the memory."""
    check_limits(1024, 488)
    with pytest.raises(QueryError, match=word):
        check_limits(lines, steps)


class WideDatabase:
    """A database with any number of groups."""

    step_ms = 60_000

    def __init__(self, groups: int) -> None:
        self._groups = groups

    def fetch(self, request: Fetch) -> Lines:
        tags = [{key: str(i) for key in request.group_by} for i in range(self._groups)]
        return Lines(tags=tags, values=np.ones((self._groups, request.window.steps)))

    def keys(self, query: object) -> list[str]:
        del query
        raise ZeroDivisionError("a defect")

    def values(
        self, key: str, query: object, after: str = "", most: int | None = None
    ) -> list[str]:
        del key, query, after, most
        return []


def test_too_many_lines_are_refused_but_may_be_cut_by_the_program(clock: ManualClock) -> None:
    """A fair question for the top five of a thousand would be refused."""
    client = TestClient(api_app(WideDatabase(1025), None, clock))
    q = "name,x,:eq,(,node,),:by"
    refused = client.get(uri(q, "format=json"))
    assert refused.status_code == 400
    assert "too many lines: 1025 > 1024" in refused.json()["message"]
    for cut in ("max,5,:topk", "5,:limit"):
        answer = client.get(uri(f"{q},{cut}", "format=json"))
        assert (answer.status_code, len(answer.json()["legend"])) == (200, 5)
    two = client.get(uri(f"{q},1000,:limit,{q},25,:limit", "format=json"))
    assert "too many lines: 1025 > 1024" in two.json()["message"]


def test_a_defect_is_an_answer_without_its_details(clock: ManualClock) -> None:
    """A stranger would learn of the insides, or get no answer at all."""
    client = TestClient(api_app(WideDatabase(1), None, clock))
    answer = client.get("/api/v1/tags")
    assert answer.status_code == 500
    assert "defect" not in answer.text
    assert answer.json()["message"].startswith("InternalError: ")


@pytest.mark.parametrize("graph_format", list(GraphFormat))
@pytest.mark.parametrize("q", ["1,\\ud800,:legend", "name,\\ud800,:eq", "1,\\u0000,:legend"])
def test_characters_without_an_encoding_are_no_obstacle(
    client: TestClient, graph_format: GraphFormat, q: str
) -> None:
    """Half of a surrogate pair in a legend would be an internal error."""
    assert client.get(uri(q, f"format={graph_format}")).status_code == 200
    refused = client.get(uri(f"{q},\\udfff", f"format={graph_format}"))
    assert refused.status_code == 400
    assert refused.json()["message"]


TOKENS = [
    *("name", "sps", ":eq", ":sum", ":by", "(", ")", "nf.cluster", "1", "NaN", ":area", ":stack"),
    *(":axis", ":color", "f00", ":alpha", ":legend", "$name", ":dup", ":add", ":offset", "1h"),
    *(":heatmap", ":vspan", ":lw", ":ls", ":palette", "reds", ":sort", "max", ":limit", ":order"),
    *("desc", ":head", ":s", ":decode", "hex", ":topk", "-1", "1e400", "99999999999", "\\ud800"),
]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=12),
    st.sampled_from(["json", "std.json", "csv", "stats.json", "v2.json", "png"]),
    st.dictionaries(
        st.sampled_from(["w", "h", "l", "u", "scale", "axis_per_line", "tz", "title", "step"]),
        st.sampled_from(["1", "0", "100", "log", "UTC", "$name", "5m", "-1e308", "1e308", "\x00"]),
        max_size=3,
    ),
)
def test_no_request_is_our_failure(
    client: TestClient, tokens: list[str], graph_format: str, more: dict[str, str]
) -> None:
    """A stranger's request would be an internal error of the server."""
    query = urlencode(
        {"h": "80", "w": "120"} | more | {"format": graph_format, "hints": "no-image"}
    )
    answer = client.get(uri(",".join(tokens), query))
    assert answer.status_code in {200, 400}, answer.text
    if answer.status_code == 400:
        assert json.loads(answer.text)["message"]


def test_the_store_is_read_while_it_is_written(client: TestClient, store: MetricStore) -> None:
    """A question would change the store, or see other numbers than were sent."""
    before = store.series_count
    assert client.get(uri(SPS, "format=std.json&s=e-1m")).json()["values"] == [[120.0]]
    assert store.series_count == before


def test_percentiles_of_what_has_no_buckets_are_no_data(client: TestClient) -> None:
    """A chart without a line would say nothing of a histogram that has no bounds."""
    content = client.get(uri(f"{SPS},(,50,99,),:percentiles", "s=e-3m&format=std.json")).json()
    assert content["legend"] == ["NO DATA"]
    assert content["values"] == [["NaN"]] * 3
