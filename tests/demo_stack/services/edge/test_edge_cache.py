"""The edge cache keeps what is popular, and the edge says over spectator whether it did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.client import Call
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.services.edge.cache import PopularityCache


@given(
    keys=st.lists(st.sampled_from("abcdefgh"), max_size=200),
    capacity=st.integers(1, 5),
)
def test_it_never_holds_more_than_it_may_and_never_lies(keys: list[str], capacity: int) -> None:
    """A cache without a bound, or with wrong bytes, harms every viewer."""
    cache = PopularityCache(capacity)
    for key in keys:
        body = cache.get(key)
        assert body in (None, key.encode())
        if body is None:
            cache.put(key, key.encode())
        assert len(cache) <= capacity


def test_what_is_asked_for_often_stays_while_one_hit_wonders_pass() -> None:
    """One pass over the catalogue would push out what everybody watches."""
    cache = PopularityCache(capacity=3)
    cache.put("hit", b"1")
    for number in range(100):
        assert cache.get("hit") == b"1"
        cache.put(f"once-{number}", b"2")


def test_yesterdays_hit_makes_room_in_the_end() -> None:
    """Popularity that never fades fills the cache with the past."""
    cache = PopularityCache(capacity=2, fade_every=10)
    cache.put("old", b"1")
    for _ in range(50):
        cache.get("old")
    cache.put("new", b"2")
    for _ in range(200):
        cache.get("new")
    cache.put("third", b"3")
    assert cache.get("old") is None
    assert cache.get("new") == b"2"


def test_a_segment_reaches_the_origin_once_for_every_site() -> None:
    """Edges that do not keep segments leave all load to the origin."""

    def call(service: str = "edge") -> Call:
        return Call(service=service, method="GET", route="/segments/t01/720p/0")

    async def story() -> tuple[list[str], int]:
        async with open_region() as w:
            outcomes = [(await w.client.send(call())).headers["x-cache"] for _ in range(12)]
            origin = sum(span.name.startswith("GET /origin") for span in w.spans())
            return outcomes, origin

    outcomes, origin = steady.run(story())
    assert (outcomes.count("miss"), outcomes.count("hit")) == (2, 10)
    assert origin == 4  # the client's and the server's span of each of two calls


def test_it_is_bounded_in_bytes_too_and_what_is_expected_stays() -> None:
    """Few large segments would fill memory within the bound of entries."""
    cache = PopularityCache(capacity=100, largest=1_000)
    cache.put("hit", b"x" * 400, popularity=50.0)
    for number in range(20):
        cache.put(f"k{number}", b"x" * 300)
    assert "hit" in set(cache)
    assert len(cache) == 3
    cache.put("huge", b"x" * 2_000)
    assert cache.get("huge") is None
    cache.put("hit", b"y")
    cache.clear()
    cache.put("new", b"x" * 1_000)
    assert cache.get("new") is not None
