"""Post-mortems and the status page from a terminal, over a whole server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from tests.tocsin.client.test_shapes import differences
from tests.tocsin.configuration.test_reload import failing, settings, write
from tests.tocsin.test_asking_commands import run
from tocsin.access.rights import Role
from tocsin.access.tokens import TokenFile
from tocsin.client.health_shapes import Health
from tocsin.client.response.paper_shapes import ActionItem, PostMortem, PostMortemList
from tocsin.client.response.status_shapes import Built, NoticeRow, StatusPageState, SubscriberRow
from tocsin.settings import Access
from tocsin.sockets import listen_tcp, port_of
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

Tell = Callable[..., tuple[object, str, str]]
BASE = "https://status.shop.test/status"
STATUS = """\
title: Example Shop
components:
  - {name: checkout, title: Checkout, objectives: shop}
  - {name: returns, title: Returns}
"""


@pytest.fixture(name="tell")
def _tell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Run a command."""
    return lambda *words: run(capsys, monkeypatch, *words)


@pytest.fixture(name="server")
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    """A server with a status page and an incident, asked by default."""
    write(tmp_path / "ops", "shop")
    (tmp_path / "ops" / "status.yaml").write_text(STATUS)
    with local_tocsin(settings(tmp_path)) as running:
        running.run(12, failing("shop"))
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        yield running


def test_a_post_mortem_from_draft_to_published(
    server: LocalTocsin, tell: Tell, tmp_path: Path
) -> None:
    """Written, edited, refused with its blanks, reviewed, published, exported."""
    assert tell("incidents", "resolve", "inc-0001", "over")[0] == 0
    server.run(1)
    code, out, _ = tell("postmortem", "list")
    assert (code, "draft" in out) == (0, True)
    for section in ("users", "factors", "sense", "well", "lucky", "surprises", "against"):
        assert tell("postmortem", "edit", "inc-0001", section, "--text", "Known.")[0] == 0
    text = "The team forgot to test it."
    said = tell("postmortem", "edit", "inc-0001", "well", "--text", text)[1]
    assert "read again: “The team forgot” judges a person" in said
    added = tell("postmortem", "actions", "add", "inc-0001", "Test it", "--kind", "detect")
    assert added[:2] == (0, "action item 1 is open: Test it\n")
    assert tell("postmortem", "submit", "inc-0001")[0] == 0
    code, _, err = tell("postmortem", "review", "inc-0001")
    assert code == 1
    assert "action item 1 lacks owner and due" in err
    done = tell("postmortem", "actions", "change", "1", "--owner", "ana", "--due", "2023-11-30")
    assert done[0] == 0
    assert tell("postmortem", "review", "inc-0001")[1] == "inc-0001 is reviewed; no blanks\n"
    assert tell("postmortem", "publish", "inc-0001")[0] == 0
    assert tell("postmortem", "edit", "inc-0001", "users", "--text", "x")[0] == 1
    file = tmp_path / "inc.json"
    told = tell("postmortem", "export", "inc-0001", "--format", "json", "--output", str(file))
    assert told[0] == 0
    assert orjson.loads(file.read_bytes())["stage"] == "published"
    assert tell("postmortem", "export", "inc-0001", "--format", "pdf")[0] == 2
    assert "published since" in tell("postmortem", "show", "inc-0001")[1]
    [issue] = orjson.loads(tell("postmortem", "actions", "export", "github")[1])["action_items"]
    assert issue["title"] == "Test it"


def test_the_server_sends_what_the_client_promises(server: LocalTocsin) -> None:
    """A field of another type, one too few or one too many misleads whoever reads the shapes."""
    papers, page = server.api.papers, server.api.status_page
    papers.write_again("inc-0001")
    fields = {"title": "Test it", "kind": "detect", "owner": "ana", "due": "2023-11-10"}
    item = papers.add_action("inc-0001", fields, actor="ana")
    papers.edit("inc-0001", "users", "An error.", actor="ana")
    window = {"starts_ms": START_MS + 3_600_000, "ends_ms": START_MS + 7_200_000}
    notice = page.schedule(title="A", text="B", components=["checkout"], actor="a", **window)
    one = page.subscribe("https://a.test/x", actor="ana")
    answers: list[tuple[object, object]] = [
        (PostMortem, papers.whole("inc-0001")),
        (PostMortemList, papers.all()),
        (list[ActionItem], papers.action_items(state="overdue")),
        (ActionItem, item),
        (StatusPageState, page.state()),
        (NoticeRow, notice),
        (SubscriberRow, one),
        (list[SubscriberRow], page.subscribers()),
        (Built, page.build()),
        (Health, server.api.health()),
    ]
    for shape, answer in answers:
        wrong = [one for one in differences(shape, answer) if ".access." not in one]
        assert (shape, wrong) == (shape, [])
    assert server.api.health()["post_mortems"] == {"overdue_actions": 1}


def test_a_paper_is_taken_from_a_terminal(server: LocalTocsin, tell: Tell, tmp_path: Path) -> None:
    """As a file that begins as PDF does."""
    pytest.importorskip("typst", reason="the extra pdf is not installed")
    assert tell("postmortem", "write", "inc-0001")[0] == 0
    file = tmp_path / "inc.pdf"
    told = tell("postmortem", "export", "inc-0001", "--format", "pdf", "--output", str(file))
    assert told[0] == 0
    assert file.read_bytes().startswith(b"%PDF-")


def test_a_status_page_from_a_terminal(server: LocalTocsin, tell: Tell) -> None:
    """What is measured, said, proposed, published; and the page that users read then."""
    code, out, _ = tell("status", "components")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["checkout", "major_outage", "automatic"],
        ["returns", "unknown", "person"],
    ]
    assert "Problems with Checkout" in tell("status", "show")[1]
    said = tell("status", "set", "returns", "operational", "tried it", "--for", "2h")
    assert said[1] == "returns is operational (person: tried it)\n"
    assert tell("status", "set", "returns", "operational", "--for", "soon")[0] == 2
    told = tell("status", "incident", "publish", "--incident", "inc-0001", "--draft")
    assert told[1] == "notice 1 is published: Problems with Checkout (investigating)\n"
    assert "draft" not in tell("status", "show")[1]
    assert "status page, investigating" in tell("incidents", "show", "inc-0001")[1]
    page = httpx2.get(f"{server.api.base_url}/status/", trust_env=False)
    assert "Problems with Checkout" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert tell("status", "update", "1", "resolved", "It works again.")[0] == 0
    assert tell("status", "update", "1", "resolved", "Twice.")[0] == 1
    feed = httpx2.get(f"{server.api.base_url}/status/feed.rss", trust_env=False)
    assert "Resolved: Problems with Checkout" in feed.text
    assert "secret, shown once" in tell("status", "subscribe", "add", "https://a.test/x")[1]
    assert "https://a.test/x" in tell("status", "subscribe", "list")[1]
    assert tell("status", "subscribe", "remove", "1")[0] == 0


def test_a_user_is_asked_by_real_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """From the notifier that the operator set up, over SMTP, to a yes in the browser."""
    mails: list[bytes] = []

    class Mailbox:
        async def handle_DATA(  # noqa: N802 - aiosmtpd's name
            self, _server: Any, _session: Any, envelope: Envelope
        ) -> str:
            mails.append(envelope.original_content or b"")
            return "250 taken"

    write(tmp_path / "ops", "shop")
    with listen_tcp("127.0.0.1", 0, "test") as free:
        port = port_of(free)
    post = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    post.start()
    try:
        (tmp_path / "ops" / "status.yaml").write_text(f"subscribe_url: {BASE}\n{STATUS}")
        (tmp_path / "ops" / "notifiers.yaml").write_text(
            f"mail: {{host: 127.0.0.1, port: {port}, security: none, sender: status@shop.test}}\n"
        )
        asked = settings(tmp_path).model_copy(update={"status_public": True})
        with local_tocsin(asked) as running:
            url = running.api.base_url
            monkeypatch.setenv("TOCSIN_API_URL", url)
            told = tell("status", "subscribe", "add", "ana@users.test")
            assert told[0] == 0
            assert told[1].endswith("subscriber 1: ana@users.test has been asked by mail\n")
            [link] = re.findall(r"/subscriptions/[\w-]+", mails[0].decode().replace("=\r\n", ""))
            page = httpx2.post(f"{url}/status{link}", data={"answer": "yes"}, trust_env=False)
            assert "From now on you are told by mail" in page.text
            running.api.status_page.publish(title="It broke", text="We look.", actor="ana")
            running.status.publisher.turn()
            assert b"Subject: [Example Shop] Investigating: It broke" in mails[1]
    finally:
        post.stop()


@pytest.mark.parametrize("public", [False, True])
def test_who_may_read_and_publish(tmp_path: Path, public: bool) -> None:
    """Users have no token: their page may be open, and nothing else is."""
    write(tmp_path / "ops", "shop")
    (tmp_path / "ops" / "status.yaml").write_text(STATUS)
    changes = {"access": Access.TOKENS, "status_public": public}
    asked = settings(tmp_path).model_copy(update=changes)
    tokens = TokenFile(asked.data_dir)
    secrets = {role: tokens.create(role.value, role, START_MS, None)[1] for role in Role}
    with local_tocsin(asked) as running:
        url = running.api.base_url
        with httpx2.Client(base_url=url, trust_env=False) as http:
            read = http.get("/status/").status_code
            assert read == (200 if public else 401)
            assert http.get("/status/status.json").status_code == read
            assert http.post("/status/").status_code == 401
            assert http.get("/api/v2/status-page").status_code == 401
            body = {"title": "A", "text": "B"}
            path = "/api/v2/status-page/incidents"
            for role, status in ((Role.RESPONDER, 403), (Role.COMMANDER, 201)):
                headers = {"Authorization": f"Bearer {secrets[role]}"}
                assert http.post(path, json=body, headers=headers).status_code == status
