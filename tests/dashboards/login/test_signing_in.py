"""Signing in for real: a server that demands tokens, the dashboard's process, a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboards.serve import free_port
from dashboards.testing import browser_missing, browser_page, dashboard_process
from tests.dashboards.login.provider import CLIENT_ID, CLIENT_SECRET, Provider, provider
from tests.tocsin.configuration.test_reload import failing, settings, write
from tocsin.access.rights import Role
from tocsin.access.tokens import TokenFile
from tocsin.settings import Access
from tocsin.testing import START_MS, local_tocsin

pytestmark = [
    pytest.mark.patient,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]


def test_who_signs_in_acts_in_the_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages ask with the viewer's token: what it may not isn't offered, revoked it is blind."""
    write(tmp_path / "ops", "shop")
    asked = settings(tmp_path).model_copy(update={"access": Access.TOKENS})
    tokens = TokenFile(asked.data_dir)
    secrets = {
        name: tokens.create(name, role, START_MS, None)[1]
        for name, role in (("ana", Role.RESPONDER), ("eve", Role.VIEWER))
    }
    monkeypatch.setenv("TOCSIN_DASHBOARD_LOGIN", "token")
    monkeypatch.setenv("TOCSIN_API_TOKEN", "tcs_of_the_process_itself_opens_nothing")
    with local_tocsin(asked) as running:
        running.run(12, failing("shop"))
        [incident] = running.desk.ledger.incidents()
        home = tmp_path / "home"
        with dashboard_process(running.api.base_url, home) as url:
            room = f"{url}/war_room?incident={incident.id}"
            with browser_page() as page:
                page.goto(room)
                page.get_by_label("Token").fill("tcs_wrong")
                page.get_by_role("button", name="Sign in").click()
                page.get_by_text("there is no such token").wait_for()
                page.get_by_label("Token").fill(secrets["eve"])
                page.get_by_role("button", name="Sign in").click()
                page.get_by_text("You may look; acting needs the role responder").first.wait_for()
                assert page.get_by_role("button", name="Acknowledge").count() == 0
                page.get_by_role("link", name="Sign out").click()
                page.get_by_role("button", name="Sign out").click()

                page.goto(room)
                page.get_by_label("Token").fill(secrets["ana"])
                page.get_by_role("button", name="Sign in").click()
                assert page.url == room
                page.get_by_role("button", name="Acknowledge").click()
                page.get_by_text(re.compile("ana acknowledged it")).first.wait_for()
                page.get_by_text("Signed in as ana (responder)").wait_for()

                tokens.revoke("ana", START_MS)
                page.goto(url)
                page.get_by_text(re.compile(r"the token \w+ \(ana\) is revoked")).first.wait_for()
    assert running.desk.ledger.incident(incident.id).acknowledged_by == "ana"


PEOPLE = """
people:
  - {id: ana, name: Ana Silva, email: ana@example.com, role: responder}
"""


@contextmanager
def pages(api_url: str, found: Provider, secret: str, home: Path) -> Iterator[str]:
    """Run ``tocsin dashboard`` for those alone whom a provider vouches for; yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    found.redirect_uri = f"{url}/oauth2callback"
    told = {
        "HOME": str(home),
        "TOCSIN_DASHBOARD_LOGIN": "oidc",
        "TOCSIN_DASHBOARD_PORT": str(port),
        "TOCSIN_DASHBOARD_URL": url,
        "TOCSIN_API_URL": api_url,
        "TOCSIN_API_TOKEN": secret,
        "TOCSIN_OIDC_METADATA_URL": found.metadata_url,
        "TOCSIN_OIDC_CLIENT_ID": CLIENT_ID,
        "TOCSIN_OIDC_CLIENT_SECRET": CLIENT_SECRET,
    }
    command = [sys.executable, "-m", "tocsin", "dashboard"]
    with subprocess.Popen(
        command, env={**os.environ, **told}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "URL:" in line:  # Streamlit listens
                    break
            yield url
        finally:
            process.terminate()


def test_a_provider_vouches_for_people(tmp_path: Path) -> None:
    """Whom it knows acts in the own name; whose address it does not vouch for sees nothing."""
    write(tmp_path / "ops", "shop")
    (tmp_path / "ops" / "people.yaml").write_text(PEOPLE)
    asked = settings(tmp_path).model_copy(update={"access": Access.TOKENS})
    _, secret = TokenFile(asked.data_dir).create("pages", Role.PAGES, START_MS, None)
    with provider() as found, local_tocsin(asked) as running:
        running.run(12, failing("shop"))
        [incident] = running.desk.ledger.incidents()
        with (
            pages(running.api.base_url, found, secret, tmp_path / "home") as url,
            browser_page() as page,
        ):
            room = f"{url}/war_room?incident={incident.id}"
            found.claims = {"sub": "2", "email": "ana@example.com", "email_verified": False}
            page.goto(room)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_text("did not vouch for an e-mail address").wait_for()
            assert page.get_by_text("shop").count() == 0
            page.get_by_role("button", name="Sign out").click()

            found.claims = {"sub": "1", "email": "ana@example.com", "email_verified": True}
            page.get_by_role("button", name="Sign in").click()
            page.get_by_text("Signed in as ana@example.com").wait_for()
            page.goto(room)
            page.get_by_role("button", name="Acknowledge").click()
            page.get_by_text(re.compile("Ana Silva acknowledged it")).first.wait_for()
    assert running.desk.ledger.incident(incident.id).acknowledged_by == "Ana Silva"
