"""Whatever bytes come in, every decoder takes or refuses them, and nothing else.

``TOCSIN_FUZZ_ROUNDS`` says how often fifty bodies are tried on each: 4, or more for long runs.
``scripts/fuzz`` goes on for as long as it is told to, guided by what each body reaches.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from collectors.errors import InputError
from collectors.receivers.testing.grammars import GRAMMARS, Seeded
from tests.fuzz.targets import SUBJECTS

ROUNDS = int(os.environ.get("TOCSIN_FUZZ_ROUNDS", "4"))
GRAMMAR_BODIES = 150
# How many of the bodies that grammars make must be taken at least in part; measured are more.
TAKEN = 0.5


@st.composite
def mutants(draw: st.DrawFn, bodies: Sequence[bytes]) -> bytes:
    """Draw a valid body with up to five injuries."""
    body = bytearray(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(0, 5))):
        at, other = draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))
        first, last = min(at, other), max(at, other)
        match draw(st.sampled_from(("flip", "set", "cut", "remove", "repeat", "splice", "insert"))):
            case "flip" if at < len(body):
                body[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if at < len(body):
                body[at] = draw(st.sampled_from((0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x2D, 0x39)))
            case "cut":
                del body[at:]
            case "remove":
                del body[first:last]
            case "repeat":
                body[last:last] = body[first:last]
            case "splice":
                donor = draw(st.sampled_from(bodies))
                body[at:] = donor[draw(st.integers(0, len(donor))) :]
            case "insert":
                body[at:at] = draw(st.binary(max_size=12))
    return bytes(body)


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_any_body_is_taken_or_refused(name: str) -> None:
    """A stranger's bytes would crash a decoder or keep it for ever, as they would this test."""
    subject = SUBJECTS[name]()
    for body in subject.bodies:
        subject.decode(body)  # they are what they claim to be, or their mutants say little

    @settings(
        max_examples=50,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(body=mutants(subject.bodies) | st.binary(max_size=200))
    def hold(body: bytes) -> None:
        with suppress(InputError):
            subject.decode(body)

    for number in range(ROUNDS):
        seed(number)(hold)()


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAMMARS)
def test_bodies_by_the_grammar_get_deep(name: str) -> None:
    """Most mutants are refused at the door: what stands behind it would never be tried."""
    subject, taken = SUBJECTS[name](), 0
    for number in range(GRAMMAR_BODIES):
        with suppress(InputError):
            subject.decode(GRAMMARS[name](Seeded(number)))
            taken += 1

    assert taken >= TAKEN * GRAMMAR_BODIES
