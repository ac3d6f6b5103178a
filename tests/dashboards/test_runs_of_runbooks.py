"""The war room runs runbooks: rehearse, begin, approve, abort."""

from __future__ import annotations

from dashboards.testing import FakeApi, OpenPage, answered, button, words
from dashboards.testing.fake_runs import RUN_ID


def test_a_rehearsal_is_shown_and_touches_nothing(api: FakeApi, opened: OpenPage) -> None:
    """It says what each step would do with the values that were said."""
    page = opened("war_room", view="Runbook")
    page.text_input(key="run-values").input("region=eu-west-1").run()
    button(page, "run-rehearse").click().run()
    assert "Dry run: nothing was touched" in words(page)
    assert "http {'region': 'eu-west-1'}" in words(page)
    assert api.runs.run is None


def test_a_run_waits_until_somebody_approves(api: FakeApi, opened: OpenPage) -> None:
    """Who presses is who approves; the state of each step is shown."""
    page = opened("war_room", view="Runbook")
    page.text_input(key="actor").input("Grace").run()
    button(page, "run-begin").click().run()
    answered(page)
    assert api.runs.run is not None
    assert api.runs.run["requested_by"] == "Grace"
    assert "waits for an approval" in "\n".join(block.value for block in page.code)
    button(page, f"approve-{RUN_ID}-act").click().run()
    answered(page)
    assert api.runs.decided == [
        {"decision": "approve", "step": "act", "actor": "Grace", "reason": ""}
    ]
    assert not [b for b in page.button if str(b.key).startswith("approve-")]


def test_a_run_is_aborted(api: FakeApi, opened: OpenPage) -> None:
    """From the page, at any time."""
    page = opened("war_room", view="Runbook")
    button(page, "run-begin").click().run()
    answered(page)
    button(page, f"abort-{RUN_ID}-").click().run()
    answered(page)
    assert api.runs.decided[0]["decision"] == "abort"
    assert "aborted" in words(page)


def test_what_was_looked_at_is_shown(api: FakeApi, opened: OpenPage) -> None:
    """The diagnosis stands with the evidence."""
    del api
    assert "Share of errors: 0.78" in words(opened("war_room"))
