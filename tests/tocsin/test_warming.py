"""What is loaded after the start: all of it, whatever fails, and what failed is told."""

from tocsin.warming import Warming


def _fails() -> None:
    raise ImportError("no such library")


def test_a_part_that_fails_keeps_none_from_being_loaded_and_is_told() -> None:
    """Silence would be found out by the first page that is not sent."""
    done: list[str] = []
    parts = {
        "first": lambda: done.append("first"),
        "broken": _fails,
        "last": lambda: done.append("last"),
    }
    warming = Warming(parts, after_s=0)
    assert warming.as_json() == {"loading": ["first", "broken", "last"], "failed": {}}
    warming.start()
    warming.join()
    assert done == ["first", "last"]
    assert warming.as_json() == {
        "loading": [],
        "failed": {"broken": "ImportError: no such library"},
    }


def test_nothing_is_begun_once_the_server_ends() -> None:
    """A server that is stopped at once must not go on loading."""
    done: list[str] = []
    warming = Warming({"part": lambda: done.append("part")}, after_s=60)
    warming.start()
    warming.close()
    warming.join()
    assert done == []
