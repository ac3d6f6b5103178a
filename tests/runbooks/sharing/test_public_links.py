"""Public links: they show what was told, to whoever has the address, until they are revoked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest
from sqlalchemy import select

from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.incidents.commands import Acknowledge, GiveUpdate, Note
from runbooks.incidents.events import EventKind
from runbooks.sharing.links import LINKS, MAX_LINKS, MAX_SECRET
from tests.runbooks.room import MakeDesk, MakeFinding, ServeDesk
from tests.tocsin.client.test_shapes import differences
from tocsin.client.client import ApiClient
from tocsin.client.errors import MissingError, RefusedError
from tocsin.client.response.incident_shapes import MadePublicLink, PublicLink, PublicLinkList

DAY_S = 86_400.0


@pytest.fixture(name="desk")
def _desk(make_desk: MakeDesk, make_finding: MakeFinding) -> IncidentDesk:
    desk = make_desk(settings=replace(DeskSettings(), public_link_s=7 * DAY_S))
    desk.receive(make_finding(title="Starts <b>fail</b>"))
    desk.tick()
    desk.execute("inc-0001", Acknowledge(actor="Ana Silva"))
    desk.execute("inc-0001", Note(text="password is hunter2", actor="Ana Silva"))
    desk.execute("inc-0001", GiveUpdate(text="Half of starts fail.\n<script>", actor="Ana Silva"))
    return desk


@pytest.fixture(name="http")
def _http(desk: IncidentDesk, serve_desk: ServeDesk) -> httpx2.Client:
    return serve_desk(desk)


@pytest.fixture(name="api")
def _api(http: httpx2.Client) -> Iterator[ApiClient]:
    with ApiClient(str(http.base_url)) as api:
        yield api


def path_of(made: MadePublicLink) -> str:
    return "/shared/" + made["url"].rpartition("/")[2]


def test_the_page_shows_what_was_told_and_no_more(api: ApiClient, http: httpx2.Client) -> None:
    """Names, notes and markup of strangers stay inside; nothing is kept, framed or indexed."""
    answer = http.get(path_of(api.make_public_link("inc-0001", actor="ana")))
    assert answer.status_code == 200
    assert "Half of starts fail.<br>&lt;script&gt;" in answer.text
    assert "Starts &lt;b&gt;fail&lt;/b&gt;" in answer.text
    assert "acknowledged" in answer.text
    for inside in ("Ana", "hunter2", "<script", "slo/"):
        assert inside not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-robots-tag"].startswith("noindex")


def test_a_link_ends_by_itself_or_by_hand(
    api: ApiClient, http: httpx2.Client, clock: ManualClock
) -> None:
    """Whoever left the company with the address in a mail sees nothing any more."""
    first, second = (api.make_public_link("inc-0001", actor="ana", days=1) for _ in range(2))
    assert api.revoke_public_link("inc-0001", first["id"], actor="ben")["revoked_by"] == "ben"
    assert [http.get(path_of(one)).status_code for one in (first, second)] == [404, 200]
    with pytest.raises(RefusedError, match="opens nothing any more already"):
        api.revoke_public_link("inc-0001", first["id"], actor="ben")
    clock.advance_ms(int(DAY_S * 1000))
    assert http.get(path_of(second)).status_code == 404
    assert [one["lives"] for one in api.public_links("inc-0001")["public_links"]] == [False] * 2


def test_the_shapes_are_as_promised(api: ApiClient) -> None:
    """A field of another type misleads whoever reads the shapes."""
    made = api.make_public_link("inc-0001", actor="ana")
    assert [*differences(MadePublicLink, made)] == []
    assert [*differences(PublicLinkList, api.public_links("inc-0001"))] == []
    revoked = api.revoke_public_link("inc-0001", made["id"], actor="ana")
    assert [*differences(PublicLink, revoked)] == []


def test_links_are_on_record_and_their_secrets_are_not(
    api: ApiClient, desk: IncidentDesk, clock: ManualClock
) -> None:
    """Who reads the database, a backup or the timeline can open no page; who shared is known."""
    made = api.make_public_link("inc-0001", actor="ana", days=400)
    secret = made["url"].rpartition("/")[2]
    with desk.engine.connect() as connection:
        rows = str(connection.execute(select(LINKS)).all())
    said = [e.text for e in desk.ledger.events("inc-0001") if e.kind is EventKind.SHARED]
    assert len(said) == 1
    assert said[0].startswith("public link made by ana, until ")
    assert secret not in rows + said[0]
    assert made["until_ms"] == clock.now_ms() + 7 * DAY_S * 1000  # longer than may be is cut


def test_off_unless_an_operator_turns_them_on(
    make_desk: MakeDesk, make_finding: MakeFinding, serve_desk: ServeDesk
) -> None:
    """What shows something to strangers is nobody's default."""
    desk = make_desk()
    desk.receive(make_finding())
    desk.tick()
    http = serve_desk(desk)
    with (
        ApiClient(str(http.base_url)) as api,
        pytest.raises(RefusedError, match="public links are off here"),
    ):
        api.make_public_link("inc-0001", actor="ana")
    assert http.get("/shared/x").status_code == 404


@pytest.mark.parametrize("secret", ["x", "x" * (MAX_SECRET + 1), "%00", "ü", "..%2f..%2fhealth"])
def test_strangers_learn_nothing(http: httpx2.Client, secret: str) -> None:
    """Whether an address never was, is over or was revoked is the same to whoever tries."""
    assert http.get(f"/shared/{secret}").status_code == 404


def test_bad_requests_say_why(api: ApiClient, http: httpx2.Client) -> None:
    """Each is refused with what was expected; too many links of one incident, too."""
    path = "/api/v2/incidents/inc-0001/public-links"
    for body in ({"actor": "a", "days": 0}, {"actor": "a", "days": "7"}, {"days": 1}, {"x": 1}):
        assert http.post(path, json=body).status_code == 400
    with pytest.raises(MissingError):
        api.make_public_link("inc-9", actor="ana")
    with pytest.raises(MissingError):
        api.revoke_public_link("inc-0001", 99, actor="ana")
    for _ in range(MAX_LINKS):
        api.make_public_link("inc-0001", actor="ana")
    with pytest.raises(RefusedError, match="revoke one first"):
        api.make_public_link("inc-0001", actor="ana")
