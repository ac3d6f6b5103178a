"""Licences are good for one title, device and session, for a while, and say why they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from demo_stack.services.licences.tokens import (
    LIFE_S,
    MAX_RENEWALS,
    Binding,
    LicenceRefusedError,
    Licensor,
    Refusal,
)

MINE = Binding(title="t01", device="tv", session="s1")


class Clock:
    def __init__(self) -> None:
        self.s = 1_000_000.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize(
    ("used_for", "later_s", "reason"),
    [
        (MINE, 0, None),
        (MINE, LIFE_S - 1, None),
        (MINE, LIFE_S, Refusal.EXPIRED),
        (replace(MINE, title="t02"), 0, Refusal.WRONG_TITLE),
        (replace(MINE, device="phone"), 0, Refusal.WRONG_DEVICE),
        (replace(MINE, session="s2"), 0, Refusal.WRONG_SESSION),
        (replace(MINE, title="t02"), LIFE_S, Refusal.EXPIRED),
    ],
)
def test_a_licence_is_good_for_what_it_says_and_no_longer(
    used_for: Binding, later_s: float, reason: Refusal | None
) -> None:
    """A licence for another title, device or time must open nothing."""
    clock = Clock()
    licensor = Licensor(1, clock)
    token, licence = licensor.issue(MINE)
    clock.s += later_s
    if reason is None:
        assert licensor.verify(token, used_for) == licence
        return
    with pytest.raises(LicenceRefusedError) as refused:
        licensor.verify(token, used_for)
    assert refused.value.reason is reason


def test_renewals_prolong_and_come_to_an_end() -> None:
    """Renewals without an end are a licence for ever."""
    clock = Clock()
    licensor = Licensor(1, clock)
    token, _ = licensor.issue(MINE)
    for number in range(1, MAX_RENEWALS + 1):
        clock.s += LIFE_S / 2
        token, licence = licensor.renew(token, MINE)
        assert (licence.renewals, licence.exp) == (number, int(clock.s) + LIFE_S)
    with pytest.raises(LicenceRefusedError, match="renewed-too-often"):
        licensor.renew(token, MINE)
    clock.s += LIFE_S
    with pytest.raises(LicenceRefusedError, match="expired"):
        licensor.renew(token, MINE)


def _signed_otherwise(seed: int) -> str:
    return Licensor(seed, Clock()).issue(MINE)[0]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", Refusal.MALFORMED),
        ("a.b.c", Refusal.MALFORMED),
        ("x" * 100_000, Refusal.MALFORMED),
        (_signed_otherwise(2), Refusal.BAD_SIGNATURE),
        (_signed_otherwise(1)[:-3] + "AAA", Refusal.BAD_SIGNATURE),
        (
            jwt.encode({"alg": "HS256"}, {"title": "t01"}, OctKey.import_key(b"k" * 32)),
            Refusal.BAD_SIGNATURE,
        ),
    ],
)
def test_what_is_no_licence_of_ours_is_refused(token: str, reason: Refusal) -> None:
    """A forged licence must be told from ours."""
    with pytest.raises(LicenceRefusedError) as refused:
        Licensor(1, Clock()).verify(token, MINE)
    assert refused.value.reason is reason


def test_a_token_without_signature_is_no_licence() -> None:
    """The algorithm "none" must never be believed."""
    header, claims, _ = _signed_otherwise(1).split(".")
    none = "eyJhbGciOiJub25lIn0"
    for forged in (f"{none}.{claims}.", f"{header}.{claims}."):
        with pytest.raises(LicenceRefusedError):
            Licensor(1, Clock()).verify(forged, MINE)


@given(st.text(max_size=200))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    """A stranger's text must not end the service."""
    with pytest.raises(LicenceRefusedError):
        Licensor(1, Clock()).verify(text, MINE)
