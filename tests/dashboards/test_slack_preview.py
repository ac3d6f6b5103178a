"""The Slack preview: blocks as Slack draws them, and buttons that press."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.mrkdwn import text_of, to_markdown
from dashboards.testing import FakeApi, OpenPage, words


def test_blocks_and_thread_are_drawn(opened: OpenPage) -> None:
    """Header, section, fields, context and the thread's reply are on the page."""
    text = words(opened("slack_preview"))
    for expected in (
        "incidents",
        "Stream starts fell (synthetic)",
        "us-east-1 is **78 %** below",
        "**Severity**",
        "[graph](http://a.test)",
        "Evidence: `9.4/s` against **42.6/s**",
        "1 reply",
    ):
        assert expected in text


def test_a_button_presses_through_the_local_server(api: FakeApi, opened: OpenPage) -> None:
    """The click carries channel, message, action and person; the message then is edited."""
    page = opened("slack_preview")
    page.text_input(key="actor").input("grace").run()
    next(b for b in page.button if b.label == "Acknowledge").click().run()
    (click,) = api.world.clicks
    assert (click["channel"], click["action_id"], click["user"]) == ("C1", "acknowledge", "grace")
    assert "· edited" in words(page)


def test_a_button_that_asks_first_is_asked_here_too(api: FakeApi, opened: OpenPage) -> None:
    """Slack's confirmation stands between the button and the click."""
    page = opened("slack_preview")
    assert "It ends for **everybody**." in words(page)
    next(b for b in page.button if b.label == "Yes, resolve").click().run()
    assert api.world.clicks[0]["action_id"] == "resolve"


@pytest.mark.parametrize(
    ("mrkdwn", "markdown"),
    [
        ("*bold* _it_ ~gone~", "**bold** *it* ~~gone~~"),
        ("a*b*c", r"a\*b\*c"),
        ("`x*y*`", "`x*y*`"),
        ("<https://a.test/x|see>", "[see](https://a.test/x)"),
        ("<https://a.test>", r"[https\://a\.test](https://a.test)"),
        ("<javascript:alert(1)|x>", "**@x**"),
        ("<@U1>", "**@U1**"),
        ("<#C1|ops>", r"**\#ops**"),
        ("<!here>", "**@here**"),
        ("&lt;b&gt; &amp;", r"\<b\> \&"),
        ("\U0001f534 down", ":red[:material/circle:] down"),
        (":bell: ding", ":material/notifications: ding"),
        (":unknown_thing:", r"\:unknown\_thing\:"),
        ("one\ntwo", "one  \ntwo"),
        ("```a\nb```", "\n```\na\nb\n```\n"),
        ("![x](http://a.test)", r"\!\[x\]\(http\://a\.test\)"),
    ],
)
def test_mrkdwn_becomes_markdown(mrkdwn: str, markdown: str) -> None:
    """Slack's markup is translated; everything else is shown as it is."""
    assert to_markdown(mrkdwn) == markdown


@given(st.text(max_size=80))
def test_strangers_text_never_becomes_an_image_or_a_wild_link(text: str) -> None:
    """Only http, https and mailto links come out, and no image ever."""
    drawn = to_markdown(text)
    assert "![" not in drawn.replace("\\!", "").replace("\\[", "") or "`" in drawn
    assert "](javascript" not in drawn


def test_plain_text_is_not_markup() -> None:
    """A plain_text object keeps its stars; only its emoji are drawn."""
    assert text_of({"type": "plain_text", "text": "*a* :x:"}) == (r"\*a\* :red[:material/close:]")
    assert text_of(None) == ""
