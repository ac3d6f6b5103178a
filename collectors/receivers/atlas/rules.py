"""Atlas's validation of published tags, with Atlas's messages.

Source: atlas-webapi ``reference.conf`` and atlas-core ``validation``.
"""

from __future__ import annotations

import re

from collectors.model import Tags

MAX_USER_TAGS = 20
MAX_TAGS = 30
KEY_LENGTH = (2, 60)
NAME_LENGTH = (2, 255)
VALUE_LENGTH = (1, 120)

_LEGAL = re.compile(r"[-._A-Za-z0-9^~]*")
_RESERVED = {
    "atlas.": frozenset({"aggr", "dstype", "offset", "legacy"}),
    "nf.": frozenset(
        [
            "account",
            "ami",
            "app",
            "asg",
            "cluster",
            "container",
            "country",
            "country.rollup",
            "job",
            "node",
            "process",
            "region",
            "shard1",
            "shard2",
            "stack",
            "subnet",
            "task",
            "vmtype",
            "vpc",
            "zone",
        ]
    ),
}


def refuse_atlas(tags: Tags) -> str | None:
    """Return why Atlas refuses ``tags``, or None if it takes them.

    >>> refuse_atlas({"name": "cpu", "a b": "c"})
    'invalid characters in key: [a b] ([-_.A-Za-z0-9^~] are allowed)'
    """
    if "name" not in tags:
        return f"missing key 'name': {sorted(tags)}"
    for key, value in tags.items():
        reason = _refuse_key(key) or _refuse_value(key, value)
        if reason is not None:
            return reason
    users = sum(not key.startswith(("nf.", "atlas.")) for key in tags)
    if users > MAX_USER_TAGS:
        return f"too many user tags: {users} > {MAX_USER_TAGS}"
    if len(tags) > MAX_TAGS:
        return f"too many tags: {len(tags)} > {MAX_TAGS}"
    return None


def _refuse_key(key: str) -> str | None:
    shortest, longest = KEY_LENGTH
    if len(key) < shortest:
        return f"key too short: [{key}] ({len(key)} < {shortest})"
    if len(key) > longest:
        return f"key too long: [{key[:80]}] ({len(key)} > {longest})"
    if not _LEGAL.fullmatch(key):
        return f"invalid characters in key: [{key}] ([-_.A-Za-z0-9^~] are allowed)"
    for prefix, allowed in _RESERVED.items():
        if key.startswith(prefix) and key.removeprefix(prefix) not in allowed:
            return f"invalid key for reserved prefix '{prefix}': {key}"
    return None


def _refuse_value(key: str, value: str) -> str | None:
    shortest, longest = NAME_LENGTH if key == "name" else VALUE_LENGTH
    if len(value) < shortest:
        return f"value too short: {key} = [{value}] ({len(value)} < {shortest})"
    if len(value) > longest:
        return f"value too long: {key} = [{value[:80]}] ({len(value)} > {longest})"
    if not _LEGAL.fullmatch(value):
        return f"invalid characters in value: {key} = [{value}] ([-_.A-Za-z0-9^~] are allowed)"
    return None
