"""What is true of a request, or was when something happened: features, each with its bounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.api.schemas.fields import PRINTABLE, Number, Time

FEATURE_NAME = "[A-Za-z_][A-Za-z0-9_.-]{0,63}"
FEATURES = 32
LONGEST_VALUE = 256
OWN_TIME = "at"

FeatureName = Annotated[str, StringConstraints(pattern=f"^{FEATURE_NAME}$")]
FeatureValue = (
    Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_VALUE, pattern=PRINTABLE)]
    | StrictBool
    | Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Number
)


class _Features(BaseModel):
    """Any features, besides the fields that are declared."""

    __pydantic_extra__: dict[FeatureName, FeatureValue] = Field(init=False)

    @model_validator(mode="after")
    def _refuse_too_many(self) -> "_Features":
        if len(self.__pydantic_extra__) > FEATURES:
            raise PydanticCustomError("too_many", "Object should have at most {most} features", {"most": FEATURES})
        return self

    def as_text(self) -> dict[str, str]:
        """Features as the bundle knows them: true and false in lower case, a whole number without its point."""
        return {name: _as_text(value) for name, value in self.__pydantic_extra__.items()}


class ContextFeatures(_Features):
    """What is true of the request. Besides `at`, any feature the bundle was trained with: device, place, company."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"propertyNames": {"pattern": f"^{FEATURE_NAME}$"}, "maxProperties": FEATURES + 1},
    )

    at: Time | None = Field(None, description="The moment to recommend for. Without an offset: UTC. Default: now.")


class EventContext(_Features):
    """What was true when it happened: features as in the `context` of a request, without `at`."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={
            "propertyNames": {"pattern": f"^{FEATURE_NAME}$", "not": {"const": OWN_TIME}},
            "maxProperties": FEATURES,
        },
    )

    @model_validator(mode="after")
    def _refuse_time(self) -> "EventContext":
        if OWN_TIME in self.__pydantic_extra__:
            raise PydanticCustomError("own_time", "Input should have no `at`: the event has one of its own")
        return self


def _as_text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
