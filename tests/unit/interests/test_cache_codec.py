import math
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.domain import InterestVectors
from app.interests.cache_codec import decode_vectors, encode_vectors

moments = st.datetimes(timezones=st.just(UTC))
vectors = st.builds(
    InterestVectors,
    vectors=arrays.arrays(
        np.float32, st.tuples(st.integers(0, 5), st.integers(1, 300)), elements=st.floats(width=32, allow_nan=True)
    ),
    watermark=st.integers(0, 2**63 - 1),
    encoded_at=moments,
    last_event_at=st.none() | moments,
)
ONE = InterestVectors(np.ones((2, 3), np.float32), 7, datetime(2026, 6, 1, tzinfo=UTC), None)


@given(vectors)
def test_every_bit_survives(original: InterestVectors) -> None:
    decoded = decode_vectors(encode_vectors(original))

    assert decoded is not None
    assert decoded.vectors.shape == original.vectors.shape
    assert decoded.vectors.dtype == np.float32
    assert decoded.vectors.tobytes() == original.vectors.tobytes()
    assert (decoded.watermark, decoded.encoded_at, decoded.last_event_at) == (
        original.watermark,
        original.encoded_at,
        original.last_event_at,
    )


def test_a_value_is_33_bytes_and_4_for_each_number() -> None:
    assert len(encode_vectors(ONE)) == 33 + 4 * math.prod(ONE.vectors.shape)


@given(st.binary(max_size=200))
@example(b"")
@example(b"foreign")
@example(b"\x00" * 33)
def test_a_foreign_value_counts_as_not_there(value: bytes) -> None:
    assert decode_vectors(value) is None


@given(st.integers(0, 8 * len(encode_vectors(ONE)) - 1))
def test_one_flipped_bit_is_noticed(position: int) -> None:
    value = bytearray(encode_vectors(ONE))
    value[position // 8] ^= 1 << position % 8

    assert decode_vectors(bytes(value)) is None


@given(st.integers(0, len(encode_vectors(ONE)) - 1))
def test_a_value_cut_short_is_noticed(length: int) -> None:
    assert decode_vectors(encode_vectors(ONE)[:length]) is None


@given(st.binary(min_size=29, max_size=60))
def test_even_a_right_checksum_over_nonsense_raises_nothing(content: bytes) -> None:
    decode_vectors(zlib.crc32(content).to_bytes(4, "little") + b"\x01" + content)
    decode_vectors(zlib.crc32(b"\x01" + content).to_bytes(4, "little") + b"\x01" + content)


def test_another_schema_counts_as_not_there() -> None:
    content = b"\x02" + encode_vectors(ONE)[5:]

    assert decode_vectors(zlib.crc32(content).to_bytes(4, "little") + content) is None


def test_vectors_that_were_read_can_be_written_to() -> None:
    decoded = decode_vectors(encode_vectors(ONE))

    assert decoded is not None
    assert decoded.vectors.flags.writeable
    assert decoded.vectors.flags.aligned


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_memory_order_of_the_original_does_not_matter(order: str) -> None:
    original = InterestVectors(np.asarray([[1, 2, 3], [4, 5, 6]], np.float32, order=order), 7, ONE.encoded_at)  # type: ignore[call-overload]

    decoded = decode_vectors(encode_vectors(original))

    assert decoded is not None
    assert decoded.vectors.tolist() == [[1, 2, 3], [4, 5, 6]]
