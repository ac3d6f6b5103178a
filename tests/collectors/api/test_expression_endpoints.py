"""What the expression endpoints say of programs."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

SPS = "name,sps,:eq"


def uri(path: str, **parameters: str | list[str]) -> str:
    return f"/api/v1/expr{path}?{urlencode(parameters, doseq=True)}"


@pytest.mark.parametrize("path", ["", "/debug"])
def test_debug_shows_program_stack_and_variables_before_each_step(
    client: TestClient, path: str
) -> None:
    """An author could not see where an expression goes wrong."""
    steps = client.get(uri(path, q="1,a,b,:set,2,:add")).json()
    assert [step["program"] for step in steps] == [
        ["1", "a", "b", ":set", "2", ":add"],
        ["a", "b", ":set", "2", ":add"],
        ["b", ":set", "2", ":add"],
        [":set", "2", ":add"],
        ["2", ":add"],
        [":add"],
        [],
    ]
    assert steps[3]["context"] == {"stack": ["b", "a", "1"], "variables": {}}
    assert steps[5]["context"] == {"stack": ["2", "1"], "variables": {"a": "b"}}
    assert steps[-1]["context"]["stack"] == ["3.0,:const"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"q": SPS}, 200),
        ({"q": SPS, "vocab": "query"}, 200),
        ({"q": f"{SPS},cluster,:has", "vocab": "query"}, 400),
        ({"q": f"{SPS},:clear", "vocab": "query"}, 400),
        ({"q": f"{SPS},:sum", "vocab": "query"}, 400),
        ({"q": "foo", "vocab": "std"}, 200),
        ({"q": "foo"}, 400),
        ({"q": f"{SPS},:clear"}, 400),
        ({"q": SPS, "vocab": "klingon"}, 404),
        ({"q": ",".join(["1"] * 1001)}, 400),
        ({}, 400),
    ],
)
def test_debug_wants_what_the_vocabulary_is_for(
    client: TestClient, query: dict[str, str], status: int
) -> None:
    """A program that can't be drawn would pass as one that can."""
    assert client.get(uri("/debug", **query)).status_code == status


@pytest.mark.parametrize(
    ("q", "normal"),
    [
        (SPS, ["name,sps,:eq,:sum"]),
        ("app,foo,:eq,name,cpu,:eq,:and", ["name,cpu,:eq,app,foo,:eq,:and,:sum"]),
        (f"{SPS},:sum,$name,:legend", ["name,sps,:eq,:sum,$(name),:legend"]),
        (
            "nf.node,n,:eq,nf.zone,z,:eq,app,a,:eq,nf.region,r,:eq,:and,:and,:and",
            [
                "nf.region,r,:eq,nf.zone,z,:eq,:and,nf.node,n,:eq,:and,app,a,:eq,:and,:sum",
            ],
        ),
        (f"4,{SPS},:add", ["4.0,name,sps,:eq,:sum,:add"]),
        (f"1,{SPS}", ["1.0", "name,sps,:eq,:sum"]),
    ],
)
def test_normal_forms_stand_in_the_order_of_the_program(
    client: TestClient, q: str, normal: list[str]
) -> None:
    """Two ways to write a query would not be seen as the same."""
    assert client.get(uri("/normalize", q=q)).json() == normal


def test_only_words_that_run_are_proposed(client: TestClient) -> None:
    """An editor would propose words that fail on what was typed."""

    def names(q: str) -> list[str]:
        return [word["name"] for word in client.get(uri("/complete", q=q)).json()]

    assert "has" in names(f"{SPS},name")
    assert {"sum", "area"} <= set(names(SPS))
    assert not {"not", "dup", "cf-max", "stat-max"} & set(names(SPS))
    assert "add" not in names(SPS)
    assert "add" in names("1,2")
    assert "by" in names(f"{SPS},(,nf.cluster,)")
    assert "percentiles" not in names(SPS)
    entry = client.get(uri("/complete", q=SPS)).json()[0]
    assert set(entry) == {"name", "signature", "description"}
    assert " -- " in entry["signature"]


def test_queries_are_listed_once_and_sorted(client: TestClient) -> None:
    """Who asks what an expression fetches would miss a query, or get it twice."""
    q = f"b,2,:eq,a,1,:eq,:dup,{SPS},:dist-avg"
    assert client.get(uri("/queries", q=q)).json() == [
        "a,1,:eq",
        "b,2,:eq",
        "statistic,(,totalTime,totalAmount,),:in,name,sps,:eq,:and",
        "statistic,count,:eq,name,sps,:eq,:and",
    ]


@pytest.mark.parametrize(
    ("q", "rewritten"),
    [
        (SPS, ["name,sps,:eq,:sum"]),
        (f"{SPS},(,0h,),:offset,2,:lw", ["name,sps,:eq,:sum,2,:lw"]),
        (f"{SPS},(,1d,),:offset", ["name,sps,:eq,:sum,1d,:offset"]),
        (
            f"1,{SPS},(,0h,7d,),:offset",
            ["Query0,name,sps,:eq,:sum,:set,Query0,:get,Query0,:get,1w,:offset", "1.0,:const"],
        ),
    ],
)
def test_a_rewrite_writes_offsets_as_words(
    client: TestClient, q: str, rewritten: list[str]
) -> None:
    """A dashboard with the old lists of offsets could not be brought up to date."""
    assert client.get(uri("/rewrite", q=q)).json() == rewritten


def test_a_rewritten_program_gives_the_same_lines(client: TestClient) -> None:
    """Rewriting a dashboard would change what it shows."""
    q = f"{SPS},(,0m,5m,10m,),:offset"
    rewritten = ",".join(client.get(uri("/rewrite", q=q)).json())
    data = [
        client.get("/api/v1/graph", params={"q": program, "format": "json"}).json()["metrics"]
        for program in (q, rewritten)
    ]
    assert [m["atlas.offset"] for m in data[0]] == ["0w", "5m", "10m"]
    assert data[0] == data[1]


@pytest.mark.parametrize(
    ("q", "keys", "vocabularies", "stripped"),
    [
        (SPS, [], [], ["name,sps,:eq,:sum"]),
        (f"{SPS},foo,bar,:eq,:and", ["foo"], [], ["name,sps,:eq,:sum"]),
        (f"{SPS},foo,bar,:eq,:and", ["foo", "name"], [], [":true,:sum"]),
        (f"{SPS},foo,bar,:eq,:not,:and", ["foo"], [], ["name,sps,:eq,:sum"]),
        (f"{SPS},foo,:has,:or,:dist-avg", ["foo"], [], [":true,:dist-avg"]),
        (f"{SPS},max,:stat", [], ["filter"], ["name,sps,:eq,:sum"]),
        (
            f"{SPS},:stat-max,5,:gt,:filter,x,:legend",
            [],
            ["filter"],
            ["name,sps,:eq,:sum,x,:legend"],
        ),
        (
            f"{SPS},:stat-max,5,:gt,:filter,x,:legend",
            [],
            ["filter", "style"],
            ["name,sps,:eq,:sum"],
        ),
        (f"{SPS},(,a,),:by,max,2,:topk", [], ["filter"], ["name,sps,:eq,:sum,(,a,),:by"]),
        ("1,2", [], [], ["2.0,:const", "1.0,:const"]),
    ],
)
def test_what_is_named_is_stripped(
    client: TestClient, q: str, keys: list[str], vocabularies: list[str], stripped: list[str]
) -> None:
    """Tools that remove a condition or the presentation would keep it, or remove more."""
    assert client.get(uri("/strip", q=q, k=keys, r=vocabularies)).json() == stripped


def test_other_vocabularies_cannot_be_stripped(client: TestClient) -> None:
    """A request for what is not supported would be answered as if it had been done."""
    answer = client.get(uri("/strip", q=SPS, r="math"))
    assert answer.status_code == 400
    assert answer.json()["message"] == ("IllegalArgumentException: vocabulary 'math' not supported")


TOKENS = [
    *("a", "b", "(", ")", ":eq", ":sum", ":by", ":dup", ":swap", ":drop", ":each", ":list", ":cq"),
    *(":set", ":get", "1", ":add", ":avg", ":percentiles", ":not", ":re", "[", ":stat", "max"),
    *(":topk", ":legend", ":call", ":map", ":format", ":pick", ":roll", "-1", "\\u002c", "\\ud800"),
]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=10),
    st.sampled_from(["", "/normalize", "/complete", "/queries", "/rewrite", "/strip"]),
)
def test_no_program_is_our_failure(client: TestClient, tokens: list[str], path: str) -> None:
    """A stranger's typing error would be an internal error of the server."""
    answer = client.get(uri(path, q=",".join(tokens), k="a"))
    assert answer.status_code in {200, 400, 404}, answer.text  # 404: a variable that is not set
