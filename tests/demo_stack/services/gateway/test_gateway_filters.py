"""The gateway's chain, its filters, its origins, and the reason that it gives for every answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from demo_stack.chassis.client import Call
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import DependencyError, ServiceError
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import tags
from demo_stack.in_memory.region import open_region
from demo_stack.in_memory.turns import PATIENCE_S
from demo_stack.resilience.command import CommandRejectedError
from demo_stack.resilience.events import Event
from demo_stack.resilience.shedding import Priority, Shedder
from demo_stack.services.gateway.chain import FilterChain
from demo_stack.services.gateway.exchange import Exchange, RefusedError, StatusCategory, categorise
from demo_stack.services.gateway.front_door import FrontDoor
from demo_stack.services.gateway.inbound import LimitRate, ShedLoad


def _exchange(priority: Priority = Priority.CRITICAL, viewer: str = "v1") -> Exchange:
    request = Request({"type": "http", "method": "GET", "path": "/x", "headers": []})
    return Exchange(request=request, path="/x", priority=priority, viewer=viewer)


class Step:
    def __init__(
        self, name: str, order: int, *, applies: bool = True, fails: Exception | None = None
    ) -> None:
        self.name, self.order = name, order
        self._applies, self._fails = applies, fails

    def applies(self, _exchange: Exchange) -> bool:
        return self._applies

    async def apply(self, _exchange: Exchange) -> None:
        if self._fails:
            raise self._fails


REFUSAL = ServiceError("filter", status=418)


async def _endpoint(_exchange: Exchange) -> PlainTextResponse:
    return PlainTextResponse("fine")


@pytest.mark.parametrize(
    ("inbound", "outbound", "passport", "outcome"),
    [
        ([Step("b", 2), Step("a", 1)], [], ["a", "b", "endpoint", "out"], (200, "", "SUCCESS")),
        ([Step("a", 1, applies=False), Step("b", 2)], [], ["b", "endpoint", "out"],
         (200, "", "SUCCESS")),
        ([Step("a", 1, fails=REFUSAL), Step("b", 2)], [], ["a", "out"],
         (418, "a", "FAILURE_LOCAL")),
        ([Step("a", 1, fails=KeyError("bug")), Step("b", 2)], [], ["a", "out"],
         (500, "a", "FAILURE_LOCAL")),
        ([Step("a", 1, fails=ClientDisconnect())], [], ["a", "out"],
         (499, "a", "FAILURE_CLIENT_CANCELLED")),
        ([Step("off", 1, fails=REFUSAL)], [], ["endpoint", "out"], (200, "", "SUCCESS")),
        ([], [Step("first", 0, fails=KeyError("bug"))], ["endpoint", "first", "out"],
         (200, "first", "SUCCESS")),
    ],
)  # fmt: skip
def test_the_chain_runs_in_order_and_outbound_filters_always(
    inbound: list[Step], outbound: list[Step], passport: list[str], outcome: tuple[int, str, str]
) -> None:
    """A filter out of order lets through what it should stop."""
    chain = FilterChain(inbound, [Step("out", 1), *outbound])
    chain.disabled.add("off")
    exchange = _exchange()
    answer = steady.run(chain.run(exchange, _endpoint))
    assert [where for where, _ in exchange.passport] == passport
    assert [at for _, at in exchange.passport] == sorted(at for _, at in exchange.passport)
    assert (answer.status_code, exchange.failed_in, exchange.category) == outcome


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (RefusedError("x", status=503, category=StatusCategory.FAILURE_LOCAL_SHED),
         "FAILURE_LOCAL_SHED"),
        (CommandRejectedError("c", Event.SHORT_CIRCUITED), "FAILURE_LOCAL_SHORT_CIRCUITED"),
        (CommandRejectedError("c", Event.TIMEOUT), "FAILURE_ORIGIN_READ_TIMEOUT"),
        (DependencyError("s", "x", status=503), "FAILURE_ORIGIN_NO_SERVERS"),
        (DependencyError("s", "x", status=503, address="a"), "FAILURE_ORIGIN_THROTTLED"),
        (DependencyError("s", "x", status=503, address="a", error_type="ConnectError"),
         "FAILURE_ORIGIN_CONNECTIVITY"),
        (DependencyError("s", "x", status=504, address="a", error_type="ReadTimeout"),
         "FAILURE_ORIGIN_READ_TIMEOUT"),
        (DependencyError("s", "x", status=500, address="a"), "FAILURE_ORIGIN"),
        (DependencyError("s", "x", status=404, address="a"), "SUCCESS_NOT_FOUND"),
        (ServiceError("x", status=401), "FAILURE_CLIENT_UNAUTHORISED"),
        (ServiceError("x", status=500), "FAILURE_LOCAL"),
    ],
)  # fmt: skip
def test_every_failure_has_its_category(
    error: RefusedError | CommandRejectedError | DependencyError | ServiceError, category: str
) -> None:
    """Status categories are what the gateway's alerts are written on."""
    assert categorise(error).value == category


def test_a_viewer_who_asks_too_often_is_slowed_down_and_others_are_not() -> None:
    """One client must not use up the gateway for all."""
    now = 0.0
    limit = LimitRate(per_s=2.0, burst=4.0, now_s=lambda: now)

    async def ask(viewer: str) -> int:
        try:
            await limit.apply(_exchange(viewer=viewer))
        except RefusedError as error:
            return error.status
        return 200

    async def story() -> None:
        nonlocal now
        assert [await ask("greedy") for _ in range(6)] == [200] * 4 + [429] * 2
        assert await ask("modest") == 200
        now = 1.0
        assert [await ask("greedy") for _ in range(3)] == [200, 200, 429]

    steady.run(story())


@pytest.mark.parametrize(
    ("inflight", "refused"),
    [
        (0, set()),
        (16, {Priority.NON_CRITICAL}),
        (18, {Priority.NON_CRITICAL, Priority.DEGRADED}),
        (20, set(Priority)),
    ],
)
def test_under_overload_the_least_important_goes_first(
    inflight: int, refused: set[Priority]
) -> None:
    """Shedding that hits streams first makes an overload an outage."""
    shedder = Shedder(target=10, limit=20)
    shedder.inflight = inflight

    async def admitted(priority: Priority) -> bool:
        try:
            await ShedLoad(shedder).apply(_exchange(priority))
        except RefusedError:
            return False
        return True

    assert {p for p in Priority if not steady.run(admitted(p))} == refused


@pytest.mark.parametrize(
    ("zones", "per_s", "share"),
    [("ab", 15.0, 1.0), ("ab", 3.0, 0.6), ("abc", 3.0, 0.9), ("a", 3.0, 0.3)],
)
def test_the_front_door_admits_what_its_zones_can_carry(
    zones: str, per_s: float, share: float
) -> None:
    """The replayed outage rests on the capacity of zones."""
    door = FrontDoor(("a", "b"), 15.0)
    door.scale(per_s / 15.0)
    door.use(tuple(zones))
    admitted = sum(door.admit(tenth / 10) for tenth in range(100, 10_000))
    assert admitted / 9_900 == pytest.approx(share, abs=0.03)


def _start(token: str) -> Call:
    return Call(
        service="gateway",
        method="POST",
        route="/playback",
        json={"title": "t01", "device": "tv"},
        headers={"authorization": f"Bearer {token}"},
    )


def _browse(token: str) -> Call:
    headers = {"authorization": f"Bearer {token}"}
    return Call(service="gateway", method="GET", route="/browse", headers=headers)


def test_a_crashed_instance_is_covered_by_a_retry_on_the_other() -> None:
    """A single crash would be seen by viewers."""

    async def story() -> list[Any]:
        async with open_region() as w:
            await w.region.fleet.kill("recommendations-us-east-1-1")
            token = await w.token()
            for _ in range(8):
                await w.client.json(_browse(token))
            return [
                tags(span)["http.request.resend_count"]
                for span in w.spans()
                if "http.request.resend_count" in tags(span)
            ]

    assert set(steady.run(story())) == {1}


def test_without_recommendations_the_row_is_what_is_popular() -> None:
    """A missing row would keep people from browsing at all."""

    async def story() -> Any:
        async with open_region() as w:
            for number in (1, 2):
                await w.region.fleet.kill(f"recommendations-us-east-1-{number}")
            return await w.client.json(_browse(await w.token()))

    titles = [title["id"] for title in steady.run(story())["titles"]]
    assert titles == [f"t{number:02d}" for number in range(1, 9)]


def test_a_dependency_that_keeps_failing_is_no_longer_called() -> None:
    """The circuit must open in the gateway, not only in theory."""

    async def story() -> dict[str, float]:
        async with open_region() as w:
            token = await w.token()
            w.region.points.disturb("x", Disturbance(point="playback.start", error_ratio=1.0))

            def seen() -> dict[str, float]:
                return {at["zuul.status_category"]: n for at, n in w.points("zuul.requests")}

            for _ in range(30):
                await asyncio.gather(w.client.send(_start(token)), return_exceptions=True)
            async with asyncio.timeout(PATIENCE_S):
                while seen().get("FAILURE_LOCAL_SHORT_CIRCUITED", 0) < 3:
                    await asyncio.gather(w.client.send(_start(token)), return_exceptions=True)
                    await asyncio.sleep(0.05)  # the circuit is looked at every half second
            return seen()

    seen = steady.run(story())
    assert seen["FAILURE_LOCAL_SHORT_CIRCUITED"] >= 3
    assert seen["FAILURE_ORIGIN"] >= 20


def test_a_failure_test_touches_only_the_account_in_its_scope() -> None:
    """A failure test that leaks hurts customers who are in no test."""

    async def story() -> dict[str, Any]:
        async with open_region() as w:
            w.region.points.disturb(
                "x", Disturbance(point="playback.start", where={"fit": "T1"}, error_ratio=1.0)
            )
            w.region.stores.gateway.fit_accounts["tester"] = "T1"
            outcomes: dict[str, Any] = {}
            for viewer in ("tester", "bystander"):
                token = await w.token(viewer)
                (outcomes[viewer],) = await asyncio.gather(
                    w.client.send(_start(token)), return_exceptions=True
                )
            return outcomes

    outcomes = steady.run(story())
    assert outcomes["bystander"].status_code == 201
    assert outcomes["tester"].status == 500


@pytest.mark.parametrize(
    "body",
    [None, [], {"title": "t01"}, {"title": 1, "device": "tv"}, {"title": "x" * 70_000}],
    ids=["nothing", "list", "no-device", "no-text", "too-large"],
)
def test_a_bad_body_is_the_clients_fault(
    body: dict[str, Any] | list[str] | None,
) -> None:
    """Client errors that count as ours would page people."""

    async def story() -> str:
        async with open_region() as w:
            headers = {"authorization": f"Bearer {await w.token()}"}
            call = Call(
                service="gateway", method="POST", route="/playback", json=body, headers=headers
            )
            return (await w.client.send(call)).headers["x-status-category"]

    assert steady.run(story()) == "FAILURE_CLIENT_BAD_REQUEST"


def test_what_there_is_no_route_for_is_counted_and_a_failed_answer_shows_its_way() -> None:
    """An answer without its way through the filters can't be explained."""

    async def story() -> Any:
        async with open_region() as w:
            headers = {"authorization": f"Bearer {await w.token()}"}
            stray = Call(service="gateway", method="GET", route="/nowhere", headers=headers)
            answer = await w.client.send(stray)
            w.region.points.disturb("x", Disturbance(point="playback.start", error_ratio=1.0))
            await asyncio.gather(
                w.client.send(_start(headers["authorization"].removeprefix("Bearer "))),
                return_exceptions=True,
            )
            (failed,) = [
                span for span in w.spans()
                if tags(span).get("zuul.status_category") == "FAILURE_ORIGIN"
            ]  # fmt: skip
            limits = {
                at["zuul.origin"]: value for at, value in w.points("zuul.origin.concurrency.limit")
            }
            refused = {at["zuul.filter.name"] for at, _ in w.points("zuul.filter.failures")}
            return answer, [event.name for event in failed.events], limits, refused

    answer, way, limits, refused = steady.run(story())
    assert (answer.status_code, answer.headers["x-status-category"]) == (
        404,
        "SUCCESS_LOCAL_NO_ROUTE",
    )
    assert way == [
        "front-door", "shed-load", "authenticate", "rate-limit", "fit", "endpoint",
        "report-category",
    ]  # fmt: skip
    assert limits == {"auth": 100, "playback": 100}
    assert refused == set()
