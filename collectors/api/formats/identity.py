"""What identifies a line across answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def line_id(tags: Mapping[str, str]) -> str:
    """Return the SHA-1 of the sorted ``k=v`` pairs, which identifies a series in Atlas.

    >>> line_id({"name": "sps"})
    '07807df198f1613652447473f1ddbafa02665a1b'
    """
    text = ",".join(f"{k}={v}" for k, v in sorted(tags.items()))
    return hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
