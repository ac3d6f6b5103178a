"""Every bound that a stranger, or a bad day, can reach: what happens at it, for the limits page.

One file a room, each with its table; a new bound goes into the file of the room in which it holds.
The values are read from where they hold. A test says which public ``MAX_…`` is missing here.
"""

from __future__ import annotations

from tocsin.bounds.page import limits_page
from tocsin.bounds.rooms import FIXED
from tocsin.bounds.settings import SETTINGS

__all__ = ["FIXED", "SETTINGS", "limits_page"]
