"""The kernels take for a message what Google's decoder takes for one, byte by byte."""

from __future__ import annotations

import cramjam
import pytest

from collectors.errors import DecodeError
from collectors.receivers.prometheus.remote_write_messages import parse
from collectors.store.testing.encoder import field
from collectors.store.wire.remote_body import decode_body, decode_body_v2

GROUP, END = b"\x7b", b"\x7c"  # of field 15
LAYERS = ("request", "series", "sample", "metadata")
ODD = {
    "field 0": "0001",
    "a key of six bytes": "f880808080 00 01",
    "a key of five bytes": "f880808000 01",
    "a key beyond 32 bits": "f8ffffff1f 01",
    "a number of ten bytes": "78 80808080808080808001",
    "a number of eleven bytes": "78 8080808080808080808001",
    "a length of five bytes": "7a 8080808000",
    "a length of six bytes": "7a 808080808000",
    "a length beyond the end": "7a 05 00",
    "a length below zero": "7a ffffffffffffffffff01",
    "no such wire type": "7f",
    "a cut fixed32": "7d 0000",
    "a cut fixed64": "79 00000000",
    "a key alone": "78",
    "an empty group": "7b 7c",
    "a group in a group": "7b 63 78 01 64 7c",
    "a group of all": "7b 7801 79 0000000000000000 7d 00000000 7a 02 0000 7c",
    "a group with no end": "7b 7801",
    "an end with no group": "7c",
    "the end of another group": "7b 74",
    "crossed ends": "7b 63 7c 64",
    "field 0 in a group": "7b 0001 7c",
}
DEEP = {f"{n} groups": (GROUP * n + END * n).hex() for n in (97, 98, 99, 100, 101)}


def placed(odd: bytes, layer: str, *, second: bool) -> bytes:
    """Return a body with a field in one of its messages."""
    series, sample = (5, 2) if second else (1, 2)
    inner = (
        field(5, odd) if layer == "metadata" else field(sample, odd if layer == "sample" else b"")
    )
    return field(series, inner + (odd if layer == "series" else b"")) + (
        odd if layer == "request" else b""
    )


def is_message(body: bytes, *, second: bool) -> bool:
    try:
        parse("RequestV2Parts" if second else "WriteRequestParts", body)
    except DecodeError:
        return False
    return True


@pytest.mark.parametrize("second", [False, True], ids=["1.0", "2.0"])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("odd", [*ODD, *DEEP])
def test_odd_fields_are_taken_alike(odd: str, layer: str, *, second: bool) -> None:
    """Which of two decoders a deployment uses would decide whether it keeps a sender's samples."""
    body = placed(bytes.fromhex((ODD | DEEP)[odd]), layer, second=second)
    decode = decode_body_v2 if second else decode_body
    packed = bytes(cramjam.snappy.compress_raw(body))
    if is_message(body, second=second):
        decode(packed, max_bytes=1 << 20, seed=1)
    else:
        with pytest.raises(DecodeError, match="is damaged at byte"):
            decode(packed, max_bytes=1 << 20, seed=1)
