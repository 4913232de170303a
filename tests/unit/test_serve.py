from pathlib import Path

import pytest

from app.errors import SettingsError
from app.serve import refuse_exposure, serve_forever
from app.settings import Settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104 - to be refused
def test_an_open_address_without_a_key_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(SettingsError, match=r"no api_key is set.*Set PENCHANT_API_KEY"):
        refuse_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    refuse_exposure(Settings(host=host))


def test_a_key_opens_every_address() -> None:
    refuse_exposure(Settings(host="0.0.0.0", api_key="secret"))  # noqa: S104


def test_the_refusal_comes_before_the_bundle_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        serve_forever(Settings(host="0.0.0.0", bundle_dir=tmp_path / "none"))  # noqa: S104


def test_the_key_reaches_worker_processes_and_no_log() -> None:
    settings = Settings(api_key="secret")
    assert settings.as_environment()["PENCHANT_API_KEY"] == "secret"
    assert "secret" not in repr(settings)
