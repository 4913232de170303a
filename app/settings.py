"""Every setting, once: default, unit, and the reason for the default.

A value is looked for as a command-line flag, then as an environment variable with the prefix `PENCHANT_`, then in the
file `penchant.toml` of the working folder (or the one named by `PENCHANT_CONFIG_FILE`), then here.
"""

import json
import os
from pathlib import Path
from typing import Annotated

from limits import parse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Port = Annotated[int, Field(ge=0, le=65535)]
PositiveInt = Annotated[int, Field(ge=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]


def _read_rate_limit(told: str) -> str:
    if told:
        try:
            parse(told)
        except ValueError:
            raise ValueError(f"{told!r} is no rate: expected a count and a time, such as 100/second") from None
    return told


RateLimit = Annotated[str, AfterValidator(_read_rate_limit)]
FILE_VARIABLE = "PENCHANT_CONFIG_FILE"


Weight = Annotated[float, Field(ge=-1, le=1)]


class EventTypeSetting(BaseModel):
    """Fields of `app.history.weights.EventType` that are changed, or told of a type of one's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: Weight | None = None
    full_weight: Weight | None = None
    scale: Annotated[float, Field(gt=0)] | None = None
    half_life_days: Annotated[float, Field(gt=0)] | None = None


def _from_text(told: object) -> object:
    """A flag is text: JSON where the setting is a table."""
    return json.loads(told) if isinstance(told, str) else told


EventTypes = Annotated[dict[str, EventTypeSetting], BeforeValidator(_from_text)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PENCHANT_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on: loopback, or any other once there is an api_key.")
    port: Port = Field(8000, description="TCP port to listen on; 0 takes a free one.")
    workers: PositiveInt = Field(1, description="Server processes. Each holds its own encoder: memory grows with it.")

    api_key: SecretStr = Field(
        SecretStr(""),
        description="Keys that clients send as X-API-Key, one or several with commas between. Empty: no key is asked "
        "for, and only loopback is served.",
    )
    admin_api_key: SecretStr = Field(
        SecretStr(""),
        description="Key that bundles, experiments, changes of placements and erasure ask for. Empty: any api_key "
        "will do.",
    )
    rate_limit: RateLimit = Field(
        "",
        description="Requests granted to each key, or each address without keys: 100/second, 5000/hour. Empty: no "
        "limit.",
    )
    max_in_flight: PositiveInt = Field(
        256, description="Requests in progress in one process; past it one is refused at once with 503."
    )
    receive_s: PositiveInt = Field(
        10, description="How long a client may take to send a request, and a second more for each 8 KiB of body."
    )

    data_dir: Path = Field(Path("var"), description="Folder for what is kept: the database, fetched and cleaned data.")
    bundle_dir: Path = Field(
        Path("artifacts/current"),
        description="Folder of the bundle to serve; a link to one of artifacts/<version>/.",
    )
    database_url: str = Field("", description="Durable store. Empty: sqlite:///<data_dir>/penchant.sqlite3.")
    redis_url: str = Field(
        "embedded://",
        description="redis://, unix:///path.sock, embedded:// (a Valkey of our own) or memory:// (this process only).",
    )
    warm_users: int = Field(
        1_000, ge=0, description="Users, latest first, whose interests are encoded before another bundle answers."
    )
    redis_timeout_ms: PositiveInt = Field(
        100, description="Connect and command timeout. The client's own default can hang for 58 s."
    )

    device: str = Field("auto", description="auto, cpu or cuda. auto takes CUDA when there is one.")
    threads: int = Field(
        0, ge=0, description="CPU threads of all workers together, for torch and FAISS. 0: the cgroup's quota."
    )

    event_types: EventTypes = Field(
        {},
        description="What types of events are worth, by name: weight (-1 to 1), full_weight, scale (the value of a "
        "rating that weighs 1), half_life_days. What training and serving read: clean and train again after a change.",
    )
    history_events: PositiveInt = Field(50, le=512, description="Last events of a user that the encoder reads.")
    candidates: PositiveInt = Field(200, description="Candidates asked of each source before scoring.")
    crowd_events: PositiveInt = Field(
        200_000,
        description="Newest events of all users that each process keeps in memory, for what is popular, trending and "
        "liked together. 28 bytes each, and 15 us each at the start.",
    )
    encode_batch: PositiveInt = Field(16, description="Histories encoded together at most.")
    encoder_states_mb: NonNegativeInt = Field(
        64,
        description="Memory for encoder states of users seen lately, in MiB a process: one more event then costs a "
        "step of the encoder, not a reading. A state takes about 0.6 MiB at 100 events; 0 keeps none.",
    )
    encode_queue: PositiveInt = Field(
        64, description="Histories that may wait for the encoder; past it the answer falls to the next rung."
    )
    encode_budget_ms: PositiveInt = Field(
        400, description="How long a request waits for a fresh encode before it falls to the next rung."
    )
    interest_ttl_s: PositiveInt = Field(86_400, description="Life of cached interest vectors in Redis.")
    interest_cache_size: PositiveInt = Field(10_000, description="Users whose vectors each process keeps itself (L1).")
    feed_poll_ms: PositiveInt = Field(
        200, description="How often a process looks for catalogue changes of others; promised visibility is 1,000 ms."
    )
    slate_days: PositiveInt = Field(
        90, description="Days that slates served are remembered: for explanations, joins, metrics and replay."
    )
    max_body_bytes: PositiveInt = Field(1_048_576, description="Largest request body.")
    max_import_bytes: PositiveInt = Field(
        268_435_456, description="Largest file of an import of items; it lies in data_dir while it is read."
    )
    json_logs: bool = Field(False, description="Log lines as JSON rather than for reading.")

    @model_validator(mode="after")
    def _fill_database_url(self) -> "Settings":
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'penchant.sqlite3'}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())

    def event_type_changes(self) -> dict[str, dict[str, float]]:
        """`event_types` as `app.history.weights.use_event_types` takes them."""
        return {name: told.model_dump(exclude_none=True) for name, told in self.event_types.items()}

    def as_environment(self) -> dict[str, str]:
        """The same settings as environment variables, secrets included, for worker processes."""
        told = {name: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for name, v in self}
        told["event_types"] = json.dumps(self.event_type_changes())
        return {f"PENCHANT_{name.upper()}": value for name, value in told.items()}


def settings_file() -> Path:
    """Where settings are read from. That it is not there is no error, unless the environment names it."""
    return Path(os.environ.get(FILE_VARIABLE, "penchant.toml"))
