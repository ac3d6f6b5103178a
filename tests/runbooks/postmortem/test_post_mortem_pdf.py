"""A post-mortem on paper: everything is there, charts too, and nothing of a stranger is run."""

from __future__ import annotations

import re

import pytest

from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.states import Status
from runbooks.postmortem.html import as_html
from runbooks.postmortem.paper import pictures
from runbooks.postmortem.pdf import as_pdf, as_typst
from tests.runbooks.room import MakeFinding

EVIL = '#eval("1") \\ " *bold* $x$ @ref <label> #include "/etc/passwd" ]] ![x](http://a.test/i.png)'


@pytest.fixture
def resolved(desk: IncidentDesk, make_finding: MakeFinding) -> str:
    desk.receive(make_finding(title=EVIL))
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    return incident.id


def test_strangers_words_are_literals(desk: IncidentDesk, resolved: str) -> None:
    """Outside of string literals there is only what we wrote: no call, no include, no label."""
    paper = desk.post_mortems.paper(resolved)
    source = as_typst(paper.markdown, pictures(paper), footer=EVIL)
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source.partition("#let chart(")[2])
    assert "eval" not in code
    assert "include" not in code
    assert "@" not in code
    assert set(re.findall(r"#(\w+)", code)) <= {
        *("heading", "par", "list", "enum", "table", "quote", "raw", "line", "blank", "chart"),
        *("link", "emph", "strong", "linebreak", "text"),
    }


def test_a_chart_is_in_page_and_paper(desk: IncidentDesk, resolved: str) -> None:
    """It is drawn into both, with words for who can't see it; others' images stay text."""
    paper = desk.post_mortems.paper(resolved)
    page = as_html(paper.markdown, pictures(paper))
    assert page.count('<svg role="img" aria-label=') == len(paper.kept.facts.charts) == 2
    assert "<img" not in page
    source = as_typst(paper.markdown, pictures(paper), footer="")
    assert source.count("#chart(") == 2
    assert (
        "between 0 % and 200 %, each step by itself; median 0 % before the impact" in paper.markdown
    )


def test_it_can_be_set(desk: IncidentDesk, resolved: str) -> None:
    """Typst takes the whole of it, and the empty document."""
    pytest.importorskip("typst", reason="the extra pdf is not installed")
    assert desk.post_mortems.pdf(resolved).startswith(b"%PDF-")
    assert as_pdf("", {}, footer="").startswith(b"%PDF-")
    mixed = "1. one\n2. two\n   - part\n\n```\na = 1\n```\n\n> said\n\n---\n\n**b** `c`\\\nd"
    assert as_pdf(mixed, {}, footer="x").startswith(b"%PDF-")
