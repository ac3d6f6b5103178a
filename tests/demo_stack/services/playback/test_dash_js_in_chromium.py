"""A real title, encoded by the real command, played by dash.js in a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from dashboards.testing import browser_missing, browser_page
from demo_stack.services.encoding.ffmpeg import NoFfmpegError, find_ffmpeg
from demo_stack.world.layout import Service

if TYPE_CHECKING:
    from tests.demo_stack.services.playback.conftest import Served

ROOT = Path(__file__).parents[4]
PAGE = """<!doctype html>
<title>Player</title>
<video id="v" muted width="426" height="240"></video>
<script src="/dash.js"></script>
<script>
const said = (window.said = { errors: [], segments: [], manifest: null });
window.onerror = (message) => said.errors.push(String(message));
async function ask(gateway, path, body, headers = {}) {
  const answer = await fetch(gateway + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
}
async function challenge(verifier) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return text.replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
}
async function play(gateway, edge, title, withKey) {
  const verifier = "browser-".repeat(8);
  const code = (await ask(gateway, "/authorize", {
    viewer: "v0001", device: "web",
    code_challenge: await challenge(verifier), code_challenge_method: "S256",
  })).code;
  const grant = { grant_type: "authorization_code", code, code_verifier: verifier };
  const bearer = { authorization: "Bearer " + (await ask(gateway, "/token", grant)).access_token };
  said.manifest = await ask(gateway, "/playback", { title, device: "web" }, bearer);
  const player = dashjs.MediaPlayer().create();
  const events = dashjs.MediaPlayer.events;
  player.on(events.ERROR, (event) => said.errors.push(JSON.stringify(event.error)));
  player.on(events.FRAGMENT_LOADING_COMPLETED, (event) => {
    if (event.error) said.errors.push(String(event.error));
    else said.segments.push(event.request.url);
  });
  // A player that knows nothing but its licence.
  const keys = said.manifest.licence.keys.map((key) => [key.kid, withKey ? key.k : key.kid]);
  player.setProtectionData({ "org.w3.clearkey": { clearkeys: Object.fromEntries(keys) } });
  player.initialize(document.getElementById("v"), edge + said.manifest.dash, true);
  said.beat = await ask(gateway, "/sessions/" + said.manifest.session + "/heartbeats",
    { position_s: 0, licence: said.manifest.licence.token }, bearer);
}
</script>
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]


@pytest.fixture(scope="module")
def media(kept: Path) -> Path:
    """One title from the command, which answers from its cache whenever it can."""
    try:
        tool = find_ffmpeg()
    except NoFfmpegError as error:
        pytest.skip(str(error))
    command = [sys.executable, "-m", "demo_stack", "encode", "--titles", "1", "--json"]
    answers = [
        json.loads(
            subprocess.run(
                [*command, "--cache", str(kept)], cwd=ROOT, capture_output=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    (title,) = answers[0]["titles"]
    assert (title["encoded"], answers[0]["parked"]) == (True, [])
    assert {one["codec"] for one in title["representations"]} == set(tool.encoders)
    return kept


def test_dash_js_plays_a_title_that_the_edge_serves(
    media: Path, dash_js: bytes, served: Callable[[Path, Starlette], AbstractContextManager[Served]]
) -> None:
    """A real player is the proof that what we serve is video."""
    routes = [
        Route("/", lambda _request: HTMLResponse(PAGE)),
        Route("/dash.js", lambda _request: Response(dash_js, media_type="text/javascript")),
    ]
    with served(media, Starlette(routes=routes)) as platform, browser_page() as page:
        edge = platform.url(Service.EDGE)
        segments: list[tuple[int, str]] = []
        page.on(
            "response",
            lambda answer: (
                segments.append((answer.status, answer.headers.get("x-cache", "")))
                if answer.url.startswith(f"{edge}/segments/t01/")
                else None
            ),
        )
        page.goto(platform.page)
        page.evaluate(
            "([gateway, edge]) => play(gateway, edge, 't01', true)",
            [platform.url(Service.GATEWAY), edge],
        )
        page.wait_for_function("document.getElementById('v').currentTime > 1.5", timeout=30_000)
        first = page.evaluate("document.getElementById('v').currentTime")
        page.wait_for_function(f"document.getElementById('v').currentTime > {first} + 0.5")
        said = page.evaluate("said")
        shown = page.evaluate(
            "(({videoWidth, videoHeight, error, webkitAudioDecodedByteCount, mediaKeys}) =>"
            " [videoWidth, videoHeight, error, webkitAudioDecodedByteCount, mediaKeys !== null])"
            "(document.getElementById('v'))"
        )
        page.goto(platform.page)
        page.evaluate(
            "([gateway, edge]) => play(gateway, edge, 't01', false)",
            [platform.url(Service.GATEWAY), edge],
        )
        page.wait_for_function(
            "said.errors.length > 0 || document.getElementById('v').error !== null", timeout=20_000
        )
        seen = page.evaluate("document.getElementById('v').currentTime")
    assert seen < 1.0, "it played with a key that is none"
    assert said["errors"] == []
    assert said["beat"]["licence"]["token"]
    assert said["manifest"]["dash"] == "/manifests/t01/web"
    assert shown[2] is None
    assert tuple(shown[:2]) in {(192, 108), (256, 144), (426, 240)}
    assert shown[3] > 1_000, "no sound was decoded"
    assert shown[4], "it played without any key"
    assert any("/aac-48k/" in url for url in said["segments"])
    numbered = [url for url in said["segments"] if url.rpartition("/")[2].isdigit()]
    assert len(numbered) >= 2
    assert {status for status, _ in segments} == {200}
    assert {cache for _, cache in segments} <= {"hit", "miss"}
