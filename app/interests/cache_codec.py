"""Interest vectors as the bytes of one value in Redis: a header, then K x D float32, all little-endian.

float32, not float16: a slate served from the cache has exactly the scores of the one that was encoded fresh, and two
processes agree on it. That costs 2 bytes a number, 1.5 KB more a user at K = 4 and D = 192.
"""

import struct
import zlib

import numpy as np

from app.domain import InterestVectors
from app.storage.timestamps import from_micros, to_micros

SCHEMA = 1
"""Raise it with every change of the layout: values of another schema count as not there."""

_CHECKSUM = struct.Struct("<I")  # CRC-32 of all that follows
_HEADER = struct.Struct("<BHHqqq")  # schema, K, D, watermark, encoded_at, last_event_at; times in microseconds
_VECTORS_AT = _CHECKSUM.size + _HEADER.size
_NO_EVENT = -(2**63)


def encode_vectors(vectors: InterestVectors) -> bytes:
    k, d = vectors.vectors.shape
    last = _NO_EVENT if vectors.last_event_at is None else to_micros(vectors.last_event_at)
    header = _HEADER.pack(SCHEMA, k, d, vectors.watermark, to_micros(vectors.encoded_at), last)
    content = header + vectors.vectors.astype("<f4").tobytes()
    return _CHECKSUM.pack(zlib.crc32(content)) + content


def decode_vectors(value: bytes) -> InterestVectors | None:
    """None for a value that is damaged, of another schema, or not ours at all. Never raises."""
    try:
        (checksum,) = _CHECKSUM.unpack_from(value)
        schema, k, d, watermark, encoded_at, last = _HEADER.unpack_from(value, _CHECKSUM.size)
        if schema != SCHEMA or checksum != zlib.crc32(memoryview(value)[_CHECKSUM.size :]):
            return None
        return InterestVectors(
            vectors=np.frombuffer(value, "<f4", offset=_VECTORS_AT).reshape(k, d).astype(np.float32),
            watermark=watermark,
            encoded_at=from_micros(encoded_at),
            last_event_at=None if last == _NO_EVENT else from_micros(last),
        )
    except (struct.error, ValueError, OverflowError):  # too short; not K x D numbers; not a date
        return None
