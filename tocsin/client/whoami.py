"""Who the API takes us for."""

from __future__ import annotations

from typing import TypedDict

WHOAMI = "/api/v2/whoami"


class Whoami(TypedDict):
    """A principal: name, role (empty without a token), and its rights."""

    name: str
    role: str
    rights: list[str]
