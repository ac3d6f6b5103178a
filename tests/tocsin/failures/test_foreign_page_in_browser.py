"""A page of another origin in a real browser: whatever it tries, nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dashboards.testing import browser_missing, browser_page
from tests.tocsin.configuration.test_reload import failing, settings, write
from tocsin.testing import local_tocsin

pytestmark = [
    pytest.mark.patient,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

# As fetch, with and without a preflight, and as a form: the ways in which a page can send.
SENDING = """async ([api, path, body]) => {
  const plain = {method: 'POST', mode: 'no-cors', body, headers: {'Content-Type': 'text/plain'}};
  const json = {method: 'POST', body, headers: {'Content-Type': 'application/json'}};
  const told = [];
  for (const how of [plain, json]) {
    try { told.push((await fetch(api + path, how)).type); } catch (error) { told.push('refused'); }
  }
  const form = document.createElement('form');
  Object.assign(form, {method: 'post', action: api + path, enctype: 'text/plain', target: 'out'});
  const field = document.createElement('input');
  Object.assign(field, {name: body.slice(0, -1) + ', "pad": "', value: '"}'});
  form.append(field);
  document.body.append(form);
  const done = new Promise(loaded => { document.querySelector('iframe').onload = loaded; });
  form.submit();
  await done;
  return told;
}"""
READING = (
    "async url => { try { return await (await fetch(url)).text() } catch { return 'refused' } }"
)


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><iframe name=out></iframe>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="foreign")
def _foreign() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_foreign_page_changes_and_reads_nothing(tmp_path: Path, foreign: str) -> None:
    """Resolving, silencing, announcing, declaring: each was done once from such a page."""
    write(tmp_path / "ops", "shop")
    with local_tocsin(settings(tmp_path)) as running, browser_page() as page:
        running.run(12, failing("shop"))
        [incident] = running.desk.ledger.incidents()
        api = running.api.base_url
        page.goto(foreign)
        silence = (
            '{"matchers": [{"name": "service.name", "value": "shop"}], "comment": "x", '
            '"createdBy": "eve", "endsAt": "2033-01-01T00:00:00Z"}'
        )
        for path, body in (
            (f"/api/v2/incidents/{incident.id}/commands", '{"command": "resolve", "actor": "eve"}'),
            ("/api/v2/incidents", '{"title": "mine", "actor": "eve"}'),
            ("/api/v2/silences", silence),
            ("/api/v2/changes", '{"summary": "mine"}'),
        ):
            page.evaluate(SENDING, [api, path, body])
        assert page.evaluate(READING, f"{api}/api/v2/incidents") == "refused"

        assert [one.status for one in running.desk.ledger.incidents()] == [incident.status]
        assert running.desk.alerting.silences.active() == []
        events = running.desk.ledger.events(incident.id)
        assert "eve" not in {event.actor for event in events}
        assert running.api.changes(start_ms=0, end_ms=running.now_ms * 2) == []
