"""FIT: the gateway marks who is under test, the mark travels, and one button ends it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chaos.experiment import load_experiments
from demo_stack.chassis.client import Call
from demo_stack.chassis.disturbance import FIT_BAGGAGE, Disturbance
from demo_stack.chassis.errors import PlatformError
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.services.gateway.inbound import is_drawn

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet, Planet

REGION = "us-east-1"
VIEWERS = [f"v{number:04d}" for number in range(300)]
IN_SCOPE, OUTSIDE = (
    next(viewer for viewer in VIEWERS if is_drawn("licences", viewer, 0.125) is wanted)
    for wanted in (True, False)
)


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_widening_a_test_keeps_everybody_who_was_in_it(test: str, one: float, other: float) -> None:
    """Accounts that drop out of a test as it grows would see it come and go."""
    few, many = sorted((one, other))
    drawn = {viewer for viewer in VIEWERS if is_drawn(test, viewer, few)}
    assert drawn <= {viewer for viewer in VIEWERS if is_drawn(test, viewer, many)}


@pytest.mark.parametrize(("share", "low", "high"), [(0, 0, 0), (0.05, 3, 30), (1, 300, 300)])
def test_a_share_of_the_accounts_is_drawn(share: float, low: int, high: int) -> None:
    """A draw that is off tests fewer people than was said, or more."""
    assert low <= sum(is_drawn("t", viewer, share) for viewer in VIEWERS) <= high


async def _fails(one: Planet, viewer: str) -> bool:
    before = one.failures()
    await one.platform.visit(REGION, viewer=viewer)
    return one.failures() - before == 1


def test_the_experiment_reaches_who_is_in_its_scope_and_nobody_else(planet: OpenPlanet) -> None:
    """A failure test that leaks hurts customers who are in no test."""

    async def story() -> tuple[list[Any], list[Any]]:
        async with planet(REGION) as one:
            await one.injector.inject("failure-test")
            during = [await _fails(one, viewer) for viewer in (IN_SCOPE, OUTSIDE)]
            await one.injector.take_back("failure-test")
            return during, [await _fails(one, viewer) for viewer in (IN_SCOPE, OUTSIDE)]

    assert steady.run(story()) == ([True, False], [False, False])
    assert "failure-test" in load_experiments()


def test_the_mark_travels_with_the_request_to_the_service_behind_the_next(
    planet: OpenPlanet,
) -> None:
    """A mark that is lost on the way tests nothing behind the first service."""

    async def story() -> list[Any]:
        async with planet(REGION) as one:
            await one.performer.perform("fit", {"region": REGION, "accounts": {"v0001": "deep"}})
            # Playback asks the catalogue on behalf of the gateway: two calls away from the mark.
            await one.performer.perform(
                "disturb",
                {"region": REGION, "point": "call.catalogue", "error_ratio": 1.0,
                 "where": {"fit": "deep", "caller": "playback"}},
            )  # fmt: skip
            return [await _fails(one, viewer) for viewer in ("v0001", "v0002")]

    assert steady.run(story()) == [True, False]


def test_a_mark_that_comes_from_outside_is_taken_off() -> None:
    """Anybody could put themselves under test, or others, with a header."""

    async def story() -> int:
        async with open_region() as w:
            w.region.points.disturb(
                "x", Disturbance(point="playback.start", where={"fit": "T1"}, error_ratio=1.0)
            )
            headers = {"authorization": f"Bearer {await w.token()}", "baggage": f"{FIT_BAGGAGE}=T1"}
            body = {"title": "t01", "device": "tv"}
            call = Call(
                service="gateway", method="POST", route="/playback", json=body, headers=headers
            )
            return (await w.client.send(call)).status_code

    assert steady.run(story()) == 201


def test_halting_ends_failure_tests_and_what_single_actions_set(planet: OpenPlanet) -> None:
    """The red button must end all that was set, whoever set it."""

    async def story() -> tuple[Any, dict[str, float], frozenset[str]]:
        async with planet(REGION, "eu-west-1") as one:
            await one.performer.perform("fit", {"region": REGION, "shares": {"all": 1.0}})
            for point in ("playback.start", "auth.token"):
                await one.performer.perform(
                    "disturb", {"region": REGION, "point": point, "error_ratio": 1.0}
                )
            await one.injector.inject("auth-errors")
            desk = one.desk
            await one.platform.kill_region("eu-west-1")  # a dead region must not keep the others
            with pytest.raises(PlatformError, match="auth-errors"):
                await desk.halt()
            stores = one.platform.regions[REGION].stores
            return await _fails(one, "v0001"), stores.gateway.fit_shares, one.injector.busy

    assert steady.run(story()) == (False, {}, frozenset())


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_a_share(planet: OpenPlanet, share: float) -> None:
    """A share below 0 or above 1 must be refused and not guessed at."""

    async def story() -> None:
        async with planet(REGION) as one:
            await one.performer.perform("fit", {"region": REGION, "shares": {"t": share}})

    with pytest.raises(PlatformError, match="between 0 and 1"):
        steady.run(story())
