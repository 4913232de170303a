import threading
from collections.abc import Sequence

import pytest

from app.domain import FloatArray
from app.interests.encoder import HistoryEncoder, Reading
from app.settings import Settings
from app.wiring import open_resources

pytestmark = pytest.mark.anyio


async def test_before_it_is_open_histories_of_all_lengths_were_encoded_on_the_thread_that_serves(
    tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[tuple[str, int]] = []
    encode = HistoryEncoder.encode

    def kept(self: HistoryEncoder, readings: Sequence[Reading]) -> list[FloatArray]:
        encoded.extend((threading.current_thread().name, len(reading.rows)) for reading in readings)
        return encode(self, readings)

    monkeypatch.setattr(HistoryEncoder, "encode", kept)
    async with open_resources(tiny_settings):
        assert {length for thread, length in encoded if thread.startswith("encoder")} >= {1, 2, 4, 8, 12}
