"""Atlas's bounds on published tags, and Atlas's messages for what breaks them.

Source: atlas-webapi ``reference.conf`` and atlas-core ``validation``.
"""

from __future__ import annotations

from collectors.model import Tags
from collectors.tag_rules import Fault, TagBounds, TagFault

ATLAS_BOUNDS = TagBounds(
    key_chars=(2, 60),
    name_chars=(2, 255),
    value_chars=(1, 120),
    max_tags=30,
    max_user_tags=20,
    atlas_text=True,
)
_MAX_SHOWN_CHARS = 80


def refuse_atlas(tags: Tags) -> str | None:
    """Return why Atlas refuses ``tags``, or None if it takes them.

    >>> refuse_atlas({"name": "cpu", "a b": "c"})
    'invalid characters in key: [a b] ([-_.A-Za-z0-9^~] are allowed)'
    """
    found = ATLAS_BOUNDS.find_fault(tags)
    return None if found is None else _message(found, tags)


def _message(found: TagFault, tags: Tags) -> str:
    key, value = found.key, found.value
    count, bound = found.count, found.bound
    match found.fault:
        case Fault.NAME_MISSING:
            return f"missing key 'name': {sorted(tags)}"
        case Fault.TOO_MANY_TAGS:
            return f"too many tags: {count} > {bound}"
        case Fault.TOO_MANY_USER_TAGS:
            return f"too many user tags: {count} > {bound}"
        case Fault.KEY_TOO_SHORT:
            return f"key too short: [{key}] ({count} < {bound})"
        case Fault.KEY_TOO_LONG:
            return f"key too long: [{key[:_MAX_SHOWN_CHARS]}] ({count} > {bound})"
        case Fault.KEY_CHARACTERS:
            return f"invalid characters in key: [{key}] ([-_.A-Za-z0-9^~] are allowed)"
        case Fault.KEY_RESERVED:
            return f"invalid key for reserved prefix '{found.prefix}': {key}"
        case Fault.VALUE_TOO_SHORT:
            return f"value too short: {key} = [{value}] ({count} < {bound})"
        case Fault.VALUE_TOO_LONG:
            shown = value[:_MAX_SHOWN_CHARS]
            return f"value too long: {key} = [{shown}] ({count} > {bound})"
        case Fault.VALUE_CHARACTERS:
            return f"invalid characters in value: {key} = [{value}] ([-_.A-Za-z0-9^~] are allowed)"
