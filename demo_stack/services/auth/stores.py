"""What the instances of auth share in a region."""

from __future__ import annotations

from dataclasses import dataclass

from demo_stack.services.auth.grants import Grants
from demo_stack.services.auth.keys import SigningKeys


@dataclass(slots=True, kw_only=True)
class AuthStores:
    """Outlives every instance.

    Attributes:
        keys: What auth signs with.
        grants: Codes and refresh tokens that auth handed out.
        skew_s: How wrong the clock of auth is, in seconds.
    """

    keys: SigningKeys
    grants: Grants
    skew_s: float = 0.0
