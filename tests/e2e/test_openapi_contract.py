"""The OpenAPI document against the application: whatever it allows is answered as it says, whatever it forbids too."""

from datetime import UTC, datetime
from typing import Any

import schemathesis
from api_fakes import FakeResources
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from app.main import create_app
from app.settings import Settings

# That a time lies from 1970 to a day from now is beyond what a schema can say.
PAST_TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2025, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
schemathesis.openapi.format("date-time", PAST_TIMES.map(datetime.isoformat))
# Nor can it say what a filter is.
FILTERS = st.sampled_from(["year >= 1990", 'categories has "Comedy"', "not exists(a) or available()"])
schemathesis.openapi.format("filter", FILTERS)


@schemathesis.serializer("application/jsonl")
def lines(_context: Any, value: Any) -> bytes:
    """Whatever stands for a body of lines, as text; of nothing at all, a line that is no item."""
    return str(value).encode(errors="replace").strip() or b"-"


# A body that breaks the schema by its length may be refused for its length.
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
CONFIG = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(Settings(), FakeResources().open), config=CONFIG)


@schema.parametrize()
@settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_and_the_application_agree(case: schemathesis.Case) -> None:
    case.call_and_validate()
