"""People's words come back as they were written, whatever they are."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from collectors.errors import InputError
from runbooks.postmortem.actions import ActionItem, ActionKind
from runbooks.postmortem.facts import Facts
from runbooks.postmortem.office import checked_text
from runbooks.postmortem.paper import HEADINGS, Paper
from runbooks.postmortem.pdf import as_typst
from runbooks.postmortem.sections import BY_NAME, by_people
from runbooks.postmortem.shelf import Kept, Written
from runbooks.postmortem.stages import Stage

FACTS = Facts(
    title="A title",
    severity="SEV2",
    generated_ms=1_700_000_000_000,
    sections={"summary": "It broke.", "impact": "| a |\n|---|\n| b |", "timeline": "| t |"},
    charts=(),
    remarks=("silent",),
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])).map(str.strip)
LINES = st.lists(TEXT, min_size=1, max_size=4).map("\n".join).map(str.strip)


def paper(texts: dict[str, str]) -> Paper:
    kept = Kept(
        incident_id="inc-1",
        stage=Stage.DRAFT,
        moved_ms=0,
        moved_by="a",
        facts=FACTS,
        file_hash="",
    )
    written = {
        name: Written(text=text, author="a", time_ms=0, revision=1, evidence=FACTS.evidence)
        for name, text in texts.items()
    }
    item = ActionItem(
        id=1, incident_id="inc-1", title="Do", kind=ActionKind.DETECT, created_ms=0, created_by="a"
    )
    return Paper(kept=kept, texts=written, actions=[item], api_url="http://a.test")


def fits(text: str) -> bool:
    """Whether a section takes a text, and it is not one of our own prompts."""
    try:
        checked_text(text)
    except InputError:
        return False
    return bool(text) and "_To be written by people:" not in text


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), LINES.filter(fits)))
def test_what_people_wrote_is_found_again_in_the_file(texts: dict[str, str]) -> None:
    """A document that is read back as it was written changes nobody's words."""
    assume(all(line == line.rstrip() for text in texts.values() for line in text.splitlines()))
    found = by_people(paper(texts).markdown, HEADINGS)

    assert found == texts


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), LINES.filter(fits)))
def test_on_paper_words_are_literals(texts: dict[str, str]) -> None:
    """Outside of string literals there is only what we wrote."""
    source = as_typst(paper(texts).markdown, {}, footer="x").partition("#let chart(")[2]
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)

    assert set(re.findall(r"#(\w+)", code)) <= {
        *("heading", "par", "list", "enum", "table", "quote", "raw", "line", "blank", "text"),
        *("link", "emph", "strong", "linebreak", "chart"),
    }
    assert code.count("[") == code.count("]")
