"""The page of a post-mortem: what people wrote in Markdown, with nothing of it executed."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runbooks.postmortem.html import as_html
from runbooks.postmortem.sections import BLANK, enclosed, escaped

PLACES = {
    "a paragraph": "{}",
    "a heading": "## {}",
    "an item of a list": "- {}",
    "a cell of a table": "| {} | x |\n|---|---|\n| x | {} |",
    "a link": "[{}](https://example.org)",
    "the middle of a line": "text {} (more)",
}


class Body(HTMLParser):
    """Collects what stands in a page's main part: tags with attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(page.partition("<main>")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@example(text="# a ##")
@example(text="- - -")
@example(text="---")
@example(text="1) one")
@example(text="~~~")
@example(text="&lt;b&gt; &#42; &amp")
@example(text="![x](http://a) <http://a> `b` **c** _d_ \\| \\")
def test_strangers_text_is_shown_as_it_is(place: str, text: str) -> None:
    """A title could bring in a heading, a list, a link or an image, or lose characters."""
    words = " ".join(text.split())
    frame = Body(as_html(place.replace("{}", "A")))
    page = Body(as_html(place.replace("{}", escaped(f"A{text}"))))

    assert page.tags == frame.tags
    if words:
        alone = Body(as_html(place.replace("{}", escaped(text))))
        assert alone.tags == frame.tags
        assert squeezed(alone.text) == squeezed(frame.text.replace("A", words))


def squeezed(text: str) -> str:
    """Return ``text`` without differences in white space."""
    return " ".join(text.split())


@given(st.text(st.characters(codec="utf-8")))
@example(text="| a |\n|---|\n- x\n\n1. y\n\n```\n<script>\n```")
@example(text="[x](javascript:1) [y](JaVaScRiPt:1) [z]: data:a\n\n[z] ![i](https://a)")
def test_whatever_people_write_is_shown_and_executes_nothing(text: str) -> None:
    """One odd line would take the page away, or run somebody's script in the reader's browser."""
    page = Body(as_html(text))

    assert not {"script", "img", "iframe", "style"} & set(page.tags)
    assert {name for _, name, _ in page.attributes} <= {"href", "title", "class", "scope", "start"}
    links = [value or "" for _, name, value in page.attributes if name == "href"]
    assert all(link.lower().startswith(("http://", "https://", "/")) for link in links)


def test_people_may_use_all_of_markdown() -> None:
    """Numbered steps, nested points and code of a post-mortem would be shown as one paragraph."""
    page = Body(as_html("1. one\n2. two\n   - part\n\n```\na = 1\n```\n\n> said\n\n**bold** _it_"))

    assert page.tags == [
        *("ol", "li", "li", "ul", "li", "pre", "code", "blockquote", "p", "p", "strong", "em"),
    ]


def test_comments_and_markers_are_not_shown() -> None:
    """A reader would see the machine's markers between the sections."""
    assert Body(as_html(enclosed("impact", "a <!-- language: quoted --> b"))).text.split() == [
        *"ab"
    ]


def test_tables_say_what_their_headings_are_of() -> None:
    """A screen reader could not tell a column's heading from a row's."""
    columns = as_html("| What | How |\n|---|---|\n| a | b |")
    rows = as_html("| | |\n|---|---|\n| Severity | SEV2 |\n\ntext\n\n| Q |\n|---|\n| a |")

    assert '<th scope="col">What</th>' in columns
    assert "<td>a</td>" in columns
    assert '<th scope="row">Severity</th>' in rows
    assert "<td>SEV2</td>" in rows
    assert rows.count("<thead>") == 1
    assert "<td>a</td>" in rows


def test_what_waits_for_a_person_stands_out() -> None:
    """Nobody would see that a part is still to be written."""
    page = as_html(f"{BLANK} what helped?_\n\nWe were lucky.")

    assert '<p class="blank"><em>To be written by people: what helped?</em></p>' in page
    assert "<p>We were lucky.</p>" in page


def test_the_title_is_the_first_heading() -> None:
    """Ten open post-mortems would be ten tabs of the same name."""
    assert "<title>Post-mortem inc-1: a &amp; b</title>" in as_html("# Post-mortem `inc-1`: a & b")
    assert "<title>Post-mortem</title>" in as_html("no heading")
