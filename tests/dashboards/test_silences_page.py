"""The page of silences: what a new one would hide is seen before it holds."""

from __future__ import annotations

import pytest

from dashboards.panels.silencing import matchers_of
from dashboards.testing import FakeApi, OpenPage, answered, button, words
from tocsin.client.shapes import Finding


def found(rule: str, ended_ms: int | None = None, **scope: str) -> Finding:
    return {"rule": rule, "ended_ms": ended_ms, "scope": scope}  # type: ignore[typeddict-item]


def test_a_silence_is_previewed_made_extended_and_ended(api: FakeApi, opened: OpenPage) -> None:
    """At the page as at a terminal, under the name of who does it."""
    page = opened("silences")
    assert "Nothing is silenced" in words(page)
    page.text_input(key="actor").input("ana")
    page.text_area(key="silence-matchers").input("service.name=shop\n\n")
    page.text_input(key="silence-reason").input("a *load* test")
    button(page, "silence-preview").click().run()
    assert "It would hide **1** that fire now" in words(page)
    assert "*hidden* by service.name=shop" in words(page)
    assert "2 about tocsin itself ring all the same" in words(page)

    button(page, "silence-submit").click().run()
    answered(page)
    (asked,) = api.silences.put
    assert (asked["matchers"], asked["createdBy"]) == (["service.name=shop"], "ana")
    assert (asked["comment"], asked["lastsMs"]) == ("a *load* test", 7_200_000)
    assert 'service.name="shop"' in words(page)
    assert "by ana · a *load* test" in words(page)
    assert "It would hide" not in words(page)

    button(page, "silence-silence-1-8").click().run()
    answered(page)
    assert api.silences.put[-1]["lastsMs"] == 8 * 3_600_000
    button(page, "silence-silence-1-end").click().run()
    answered(page)
    assert "Nothing is silenced" in words(page)
    assert "Over: 1" in words(page)


@pytest.mark.parametrize(
    ("matchers", "reason", "told"),
    [
        ("", "why", "needs a matcher and a reason"),
        ("a=b", " ", "needs a matcher and a reason"),
        ("nonsense", "why", "is no matcher"),
    ],
)
def test_what_is_no_silence_is_refused_and_stays_typed(
    opened: OpenPage, matchers: str, reason: str, told: str
) -> None:
    """A silence without a reason is found in the morning, and nobody knows whose it is."""
    page = opened("silences")
    page.text_area(key="silence-matchers").input(matchers)
    page.text_input(key="silence-reason").input(reason)
    button(page, "silence-submit").click().run()
    if matchers == "nonsense":
        answered(page)
    assert told in words(page)
    assert page.text_area(key="silence-matchers").value == matchers


def test_an_address_fills_the_form(opened: OpenPage) -> None:
    """The war room leads here with what its incident is about."""
    page = opened("silences", match="alertname=slo/a\ncloud.region=eu")
    assert page.text_area(key="silence-matchers").value == "alertname=slo/a\ncloud.region=eu"


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], ""),
        ([found("slo/a", service="x")], "alertname=slo/a\nservice=x"),
        (
            [found("slo/a", service="x", region="e"), found("slo/b.c", service="x", region="w")],
            "alertname=~slo/a|slo/b\\.c\nservice=x",
        ),
        ([found("slo/a", 1, service="x"), found("slo/b")], "alertname=slo/b"),
        ([found("slo/a", 1, service="x")], "alertname=slo/a\nservice=x"),
    ],
)
def test_matchers_of_an_incident(findings: list[Finding], expected: str) -> None:
    """Wider than what fires, they would hide what nobody has looked at."""
    assert matchers_of(findings) == expected


def test_no_answer_is_not_no_silence(mortal_api: FakeApi, opened_mortal: OpenPage) -> None:
    """While the server is away the page must not say that everything rings."""
    mortal_api.stop()
    page = opened_mortal("silences")
    assert not page.exception
    assert "tocsin's API is away" in words(page)
    assert "Nothing is silenced" not in words(page)
