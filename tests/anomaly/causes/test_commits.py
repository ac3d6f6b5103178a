"""Which commit broke it: kinds of change in diffs, trails of messages, and the ranking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.causes.commits.diff import read_diff
from anomaly.causes.commits.rank import Commit, Incident, culprit, ranked
from anomaly.causes.commits.risk import Risk, risks_of
from anomaly.causes.commits.symptom import Trouble, fit, troubles_of
from anomaly.causes.commits.trail import Message, first_failing

HEAD = "--- a/svc/a.go\n+++ b/svc/a.go\n@@ -1,3 +1,3 @@ func F() {\n"


def _risks(body: str) -> dict[str, float]:
    found = risks_of(read_diff(HEAD + body))
    return {risk.name: round(much, 2) for risk, much in found.items()}


@pytest.mark.parametrize(
    ("body", "risks"),
    [
        ("-\tregisterAll(reg)\n \treg.Warm()", {"CALL_GONE": 1.0}),
        ("-\ta.Load(x)\n-\tsave(x)\n+\treturn store(x)\n+\t}", {"CALL_GONE": 0.3}),
        (
            "-\tif exp.Add(leeway).Before(now) {\n-\t\treturn ErrExpired\n-\t}",
            {
                "CALL_GONE": 1.0,
                "GUARD_GONE": 1.0,
            },
        ),
        (
            "+\tfor _, id := range ids {\n+\t\tx := c.db.QueryRow(ctx, id)\n+\t}",
            {"CALL_IN_LOOP": 1.0},
        ),
        (
            " \tfor _, id := range ids {\n+\t\tx := c.db.QueryRow(ctx, id)\n \t}",
            {"CALL_IN_LOOP": 1.0},
        ),
        ("-\treturn `SELECT a FROM t LIMIT 50`\n+\treturn `SELECT a FROM t`", {"BOUND_GONE": 1.0}),
        ("+var seen []rec\n+\tseen = append(seen, r)", {"GROWTH": 1.0}),
        ("+var seen = lru.New(maxSeen)\n+\tseen.add(r)", {}),
        ("-\tTTL: 15 * time.Minute,\n+\tTTL: 15 * time.Second,", {"VALUE_CHANGED": 1.0}),
        ("-  ttl: 15m\n+  ttl: 900s", {}),
        ("-  entries: 50000\n+  entries: 60000", {"VALUE_CHANGED": 0.08}),
        ('-\t"title": text(),\n+\t"name": text(),', {"KEY_RENAMED": 1.0}),
        (
            "-\tgoogle.golang.org/protobuf v1.31.0\n+\tgoogle.golang.org/protobuf v1.34.2",
            {"VERSION_MOVED": 0.7},
        ),
        ("-\tgithub.com/x/y v1.8.0\n+\tgithub.com/x/y v1.8.1", {"VERSION_MOVED": 0.2}),
        ('+\tq("SELECT id FROM favorites WHERE u = 1")', {"NEW_QUERY": 0.6}),
        ("-\t// was needed once\n+\t// is needed no more", {}),
        ('-\tlog.Printf("got %d", n)\n+\tlog.Printf("got %d of %d", n, m)', {}),
        ("-\tload(x)\n+\tif ok {\n+\t\tload(x)\n+\t}", {}),
    ],
)
def test_kinds_of_change(body: str, risks: dict[str, float]) -> None:
    """What breaks things is found; comments, logging, moved lines and equal values are nothing."""
    assert _risks(body) == risks


def test_a_call_that_moved_to_another_file_is_not_gone() -> None:
    """A helper that does the same in another place breaks nothing."""
    moved = "@@ svc/a.go @@\n-\tp.Amount = stripe.Int64(n)\n+\tp := build(n)\n"
    helper = "@@ svc/b.go @@\n+func build(n int) P {\n+\tq.Amount = stripe.Int64(n)\n+}"
    assert risks_of(read_diff(moved)) == {Risk.CALL_GONE: 0.3}
    assert risks_of(read_diff(moved + helper)) == {}


@pytest.mark.parametrize("path", ["web/a.css", "docs/a.md", "pkg/a_test.go", ".github/x.yml"])
def test_what_does_not_run_is_left_out(path: str) -> None:
    """Styles, words and tests break no service."""
    assert read_diff(f"+++ b/{path}\n-\tload(x)") == ()


@given(st.text())
def test_any_text_is_a_diff(text: str) -> None:
    """Strangers' text raises nothing, and shares of risk stay within bounds."""
    assert all(0.0 < much <= 1.0 for much in risks_of(read_diff(text)).values())


@pytest.mark.parametrize(
    ("messages", "troubles"),
    [
        (["p99 latency above 800ms"], {Trouble.SLOW}),
        (["OOMKilled: container exceeded limit"], {Trouble.MEMORY}),
        (["relation favorites does not exist"], {Trouble.MISSING}),
        (["context deadline exceeded"], {Trouble.DEADLINE}),
        (["401 unauthorized", "startup panic"], {Trouble.REFUSED, Trouble.CRASH}),
        (["served recommendations"], set()),
    ],
)
def test_sorts_of_trouble(messages: list[str], troubles: set[Trouble]) -> None:
    """Words say what sort of trouble it is."""
    assert troubles_of(messages) == troubles


def test_a_change_that_can_not_make_it_hardly_fits() -> None:
    """A leak makes no refusals; a check that is gone does."""
    assert fit({Risk.GROWTH: 1.0}, {Trouble.REFUSED}) == (0.3, Risk.GROWTH)
    assert fit({Risk.GROWTH: 1.0, Risk.GUARD_GONE: 0.5}, {Trouble.REFUSED}) == (
        0.5,
        Risk.GUARD_GONE,
    )
    assert fit({}, {Trouble.REFUSED}) == (0.0, None)


@pytest.mark.parametrize(
    ("said", "way"),
    [
        (
            [("front", "cart timed out"), ("cart", "stock answered 503"), ("stock", "no disk")],
            [
                "front",
                "cart",
                "stock",
            ],
        ),
        ([("front", "cart timed out")], ["front"]),
        ([("front", "cart slow"), ("cart", "front cancelled")], ["front"]),
        ([("front", "carts are full"), ("cart", "x")], ["front"]),
    ],
)
def test_where_messages_lead(said: list[tuple[str, str]], way: list[str]) -> None:
    """To who speaks of trouble itself and does not point back; whole names only."""
    messages = [Message(service=service, text=text) for service, text in said]
    assert list(first_failing("front", messages, ["front", "cart", "stock"])) == way


def _commit(name: str, body: str, *services: str, path: str = "svc/a.go") -> Commit:
    return Commit(
        id=name,
        message=f"change {name}",
        paths=(path,),
        diff=f"+++ b/{path}\n{body}",
        deployed_to=services,
    )


GONE = _commit("gone", "-\tregisterAgents(r)", "shop")
TIDY = _commit("tidy", "-\tx := a\n+\tx := b", "shop")
ELSEWHERE = _commit("elsewhere", "-\tdropped(r)", "ads", path="ads/b.go")
STYLE = _commit("style", "-\tload(x)", "shop", path="web/a.css")
MISSING = Incident(
    service="shop",
    affected={"shop"},
    messages=["agent not found"],
    troubles={Trouble.MISSING},
    outside=(),
)


def test_the_commit_whose_change_fits_comes_first() -> None:
    """In whatever order they are told; what changes no code is not even listed."""
    commits = [STYLE, ELSEWHERE, TIDY, GONE]
    found = ranked(commits, MISSING)
    assert [one.commit.id for one in found] == ["gone", "elsewhere", "tidy"]
    assert ranked(commits[::-1], MISSING) == found
    assert culprit(found, MISSING) is GONE


@pytest.mark.parametrize(
    ("commits", "outside"),
    [([TIDY], ()), ([], ()), ([STYLE], ()), ([ELSEWHERE], ()), ([GONE], ("stripe.com fails",))],
)
def test_nobody_is_accused_for_nothing(commits: list[Commit], outside: tuple[str, ...]) -> None:
    """Not for being near, not for another service, not when the outside is to blame."""
    incident = Incident(
        service="shop",
        affected={"shop"},
        messages=["agent not found"],
        troubles={Trouble.MISSING},
        outside=outside,
    )
    assert culprit(ranked(commits, incident), incident) is None


def test_a_name_that_both_have_weighs() -> None:
    """The table that is missing is the one that the commit asks."""
    asks = _commit("asks", '+\tq("SELECT a FROM shop_favorites")', "shop")
    incident = Incident(
        service="shop",
        affected={"shop"},
        messages=["relation shop_favorites does not exist"],
        troubles={Trouble.MISSING},
        outside=(),
    )
    (one,) = ranked([asks], incident)
    assert (one.named, one.risk) == (("shop_favorites",), Risk.NEW_QUERY)
    assert culprit([one], incident) is asks
