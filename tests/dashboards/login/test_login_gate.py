"""The gate before the pages: who comes in, where from, for how long."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboards.login.gate import LOGIN_PATH, LoginGate
from dashboards.login.sessions import COOKIE, LIFETIME_MS, MAX_SESSIONS, Sessions
from tocsin.client.errors import AnswerError, UnreachableError
from tocsin.client.whoami import Whoami

KNOWN: dict[str, Whoami] = {
    "tcs_ana": {"name": "ana", "role": "responder", "rights": ["read", "respond"]},
    "tcs_shop": {"name": "shop", "role": "sender", "rights": ["send"]},
}


class Time:
    """A present that tests move."""

    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


def ask(token: str) -> Whoami:
    """Answer as the API would."""
    if token == "tcs_down":
        raise UnreachableError("nobody answers")
    if token not in KNOWN:
        raise AnswerError("there is no such token", status=401)
    return KNOWN[token]


async def page(_request: object) -> PlainTextResponse:
    return PlainTextResponse("secret page")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("secret")
    await websocket.close()


@pytest.fixture(name="time")
def _time() -> Time:
    return Time()


@pytest.fixture(name="browser")
def _browser(time: Time) -> TestClient:
    pages = Starlette(
        routes=[
            Route("/_stcore/health", page),
            WebSocketRoute("/_stcore/stream", socket),
            Route("/{path:path}", page, methods=["GET", "POST"]),
        ]
    )
    gate = LoginGate(pages, Sessions(time), ask)
    return TestClient(gate, base_url="http://pages.test", follow_redirects=False)


def sign_in(browser: TestClient, token: str = "tcs_ana", back: str = "/") -> int:
    answer = browser.post(LOGIN_PATH, data={"token": token, "next": back})
    return answer.status_code


STREAM = "ws://pages.test/_stcore/stream"
HTML = {"accept": "text/html"}


def test_who_is_not_signed_in_sees_nothing(browser: TestClient) -> None:
    """Pages lead to the form; files, posts and sockets are refused."""
    sent = browser.get("/war-room?incident=inc-1", headers=HTML)
    assert sent.status_code == 303
    where = unquote(sent.headers["location"])
    assert where == "/login?next=/war-room?incident=inc-1"
    assert browser.get("/static/app.js").status_code == 401
    assert browser.post("/_stcore/upload", headers=HTML).status_code == 401
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect(STREAM):
        pass
    assert browser.get("/_stcore/health").status_code == 200


def test_who_signs_in_sees_the_pages_and_goes_where_it_was_bound(browser: TestClient) -> None:
    """The cookie holds no token and no script can read it."""
    answer = browser.post(LOGIN_PATH, data={"token": "tcs_ana", "next": "/war-room?incident=i"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/war-room?incident=i")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "tcs_ana" not in cookie
    assert browser.get("/x", headers=HTML).text == "secret page"
    with browser.websocket_connect(STREAM) as stream:
        assert stream.receive_text() == "secret"


@pytest.mark.parametrize(
    ("token", "status", "told"),
    [
        ("tcs_wrong", 403, "there is no such token"),
        ("tcs_shop", 403, "shop is sender and may see nothing"),
        ("tcs_down", 502, "nobody answers"),
        ("", 400, "Give the token"),
        ("tcs_\u00fc", 400, "Give the token"),
        ("t" * 10_000, 413, "no token"),
    ],
)
def test_a_token_that_opens_nothing_says_why(
    browser: TestClient, token: str, status: int, told: str
) -> None:
    """No session begins, and the reason is shown."""
    answer = browser.post(LOGIN_PATH, data={"token": token, "next": "/"})
    assert answer.status_code == status
    assert told in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/x").status_code == 401


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/x", "/\\evil.example", "/\t/evil.example", ""]
)
def test_nobody_is_led_to_another_site(browser: TestClient, back: str) -> None:
    """Whatever the link says, the way back is a path of ours."""
    answer = browser.post(LOGIN_PATH, data={"token": "tcs_ana", "next": back})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://pages.test"}, 303),
    ],
)
def test_another_site_signs_nobody_in_or_out(
    browser: TestClient, headers: dict[str, str], status: int
) -> None:
    """A form on a page of others is refused."""
    for path in ("/login", "/logout"):
        sent = browser.post(path, data={"token": "tcs_ana"}, headers=headers)
        assert sent.status_code == status


def test_signing_out_ends_the_session_everywhere(browser: TestClient) -> None:
    """A cookie that somebody kept opens nothing after."""
    assert sign_in(browser) == 303
    held = browser.cookies[COOKIE]
    assert "Signed in as ana" in browser.get("/logout").text
    assert browser.post("/logout").status_code == 303
    assert browser.get("/x", headers={"cookie": f"{COOKIE}={held}"}).status_code == 401


def test_a_session_ends_when_nothing_is_done(browser: TestClient, time: Time) -> None:
    """Each request keeps it for another twelve hours."""
    assert sign_in(browser) == 303
    time.now_ms += LIFETIME_MS
    assert browser.get("/x").status_code == 200
    time.now_ms += LIFETIME_MS + 1
    assert browser.get("/x").status_code == 401


def test_the_one_who_did_nothing_for_longest_makes_room() -> None:
    """Sessions are bounded; whoever is at work stays."""
    kept = Sessions(Time())
    first, second = kept.begin("a", "viewer", "t"), kept.begin("b", "viewer", "t")
    assert kept.find(first) is not None
    for number in range(MAX_SESSIONS - 1):
        kept.begin(str(number), "viewer", "t")
    assert kept.find(second) is None
    assert kept.find(first) is not None


def test_what_strangers_say_is_text(browser: TestClient) -> None:
    """Nor are there scripts that could run: the policy allows none."""
    shown = browser.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
