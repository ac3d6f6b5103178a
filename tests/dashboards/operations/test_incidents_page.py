"""The page of incidents: narrowed down by the address, and how the last days went."""

from __future__ import annotations

import pytest

from dashboards.testing import FakeApi, OpenPage, World, words


def rows(opened: OpenPage, **address: str) -> list[str]:
    """Titles in the list of incidents."""
    tables = [one.value for one in opened("incidents", **address).dataframe]
    return [title for table in tables if "Title" in table for title in table["Title"]]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({}, True),
        ({"state": "open"}, True),
        ({"state": "over"}, False),
        ({"severity": "SEV1"}, True),
        ({"severity": "SEV3"}, False),
        ({"search": "starts US-EAST"}, True),
        ({"search": "inc-7"}, True),
        ({"search": "starts eu-west"}, False),
    ],
)
def test_a_link_narrows_the_list_down(
    address: dict[str, str], found: bool, opened: OpenPage
) -> None:
    """Who is sent a link must see what the sender saw."""
    assert rows(opened, **address) == (["Stream starts fell in us-east-1 (synthetic)"] * found)


def test_none_of_them_is_told_from_none_at_all(opened: OpenPage) -> None:
    """A search that finds nothing must not look like a calm night."""
    assert "None of 1 incidents is like that" in words(opened("incidents", search="nowhere"))


def test_the_report_has_medians_and_who_was_rung(api: FakeApi, opened: OpenPage) -> None:
    """Whoever reports to others needs the durations of the chosen days, worded as everywhere."""
    page = opened("incidents", days="90 days")
    assert "To acknowledge: 42 s" in words(page)
    assert "3 incidents (1 SEV1, 2 SEV2)" in words(page)
    assert page.dataframe[-1].value.to_dict("records") == [
        {"Who": "Ana Silva", "Pages": 4, "At night": 1, "Nights": 1}
    ]
    assert any("incident-report?days=90" in url for url in api.asked)


def test_what_has_not_happened_yet_is_no_number(
    api: FakeApi, now_ms: int, opened: OpenPage
) -> None:
    """An incident that nobody acknowledged has no time to acknowledge, not one of 0."""
    api.world = World.in_incident(now_ms)
    (table,) = [one.value for one in opened("incidents").dataframe if "Title" in one.value]
    assert table["Acknowledged after"][0] == "not yet"


def test_those_that_look_like_it_come_with_their_reasons(opened: OpenPage) -> None:
    """What helped the last time is found by what both have in common."""
    text = words(opened("incidents"))
    assert "inc-0003" in text
    assert "same rule detector/sps; same service playback" in text
