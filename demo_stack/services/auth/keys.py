"""Signing keys that every region can derive for itself, so that a token is good in all of them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, KeySet, KeySetSerialization


class SigningKeys:
    """Keys by generation; rotation moves on by one.

    The platform is a toy and its keys follow from its seed: a real one would fetch them from a
    vault.

    Args:
        seed: The platform's seed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._generation = 0

    @property
    def current(self) -> ECKey:
        """The key that signs."""
        return self._key(self._generation)

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self._generation += 1

    def public(self) -> KeySetSerialization:
        """Return the JSON Web Key Set to verify with.

        It holds the key before, for tokens that are still around, and the next one, so that those
        who verify know it before the first token is signed with it.
        """
        oldest = max(0, self._generation - 1)
        keys = [self._key(number) for number in range(oldest, self._generation + 2)]
        return KeySet(list(keys)).as_dict(private=False)

    def _key(self, generation: int) -> ECKey:
        secret = hashlib.sha256(f"{self._seed}/{generation}".encode()).digest()
        private = ec.derive_private_key(int.from_bytes(secret[:31], "big"), ec.SECP256R1())
        return ECKey.import_key(private, {"use": "sig", "kid": f"key-{generation}"})
