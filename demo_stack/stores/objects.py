"""Objects with versions and checksums, on several disks: damage is found on reading and healed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from demo_stack.chassis.errors import PlatformError


class DurabilityError(PlatformError):
    """No undamaged copy of an object is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of an object.

    Attributes:
        key: Name of the object.
        number: 1-based version.
        checksum: SHA-256 of the body, in hex.
        size: Length of the body, in bytes.
    """

    key: str
    number: int
    checksum: str
    size: int


class ObjectStore:
    """Keeps every version of every object on each of several disks.

    Args:
        disks: How many copies there are.
    """

    def __init__(self, disks: int = 3) -> None:
        self._disks: list[dict[tuple[str, int], bytes]] = [{} for _ in range(disks)]
        self._versions: dict[str, list[ObjectVersion]] = {}
        self.healed = 0

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Keep a new version."""
        versions = self._versions.setdefault(key, [])
        version = ObjectVersion(
            key=key, number=len(versions) + 1, checksum=_checksum(body), size=len(body)
        )
        for disk in self._disks:
            disk[key, version.number] = body
        versions.append(version)
        return version

    def versions(self, key: str) -> list[ObjectVersion]:
        """Return the versions of an object, oldest first; none for an unknown one."""
        return list(self._versions.get(key, []))

    def get(self, key: str, number: int | None = None) -> bytes:
        """Return a version, the newest by default; damaged copies are replaced on the way.

        Raises:
            KeyError: There is no such object or version.
            DurabilityError: Every copy is damaged.
        """
        version = self._find(key, number)
        place = (key, version.number)
        good = next((d[place] for d in self._disks if _is_good(d.get(place), version)), None)
        if good is None:
            raise DurabilityError(f"no good copy of {key!r} version {version.number} is left")
        for disk in self._disks:
            if not _is_good(disk.get(place), version):
                disk[place] = good
                self.healed += 1
        return good

    def damage_all(self, copies: int) -> None:
        """Damage so many copies of the newest version of every object."""
        for key, versions in self._versions.items():
            for disk in range(min(copies, len(self._disks))):
                self.damage(disk, key, versions[-1].number)

    def clear(self) -> None:
        """Forget every object, as before a restore from elsewhere."""
        self._versions.clear()
        for disk in self._disks:
            disk.clear()

    def damage(self, disk: int, key: str, number: int) -> None:
        """Flip a bit of one copy: bit rot, for tests and experiments."""
        body = bytearray(self._disks[disk][key, number])
        body[0] ^= 1
        self._disks[disk][key, number] = bytes(body)

    def _find(self, key: str, number: int | None) -> ObjectVersion:
        versions = self._versions[key]
        if number is None:
            return versions[-1]
        if not 1 <= number <= len(versions):
            raise KeyError(f"{key!r} has no version {number}")
        return versions[number - 1]


def _checksum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _is_good(body: bytes | None, version: ObjectVersion) -> bool:
    return body is not None and _checksum(body) == version.checksum
