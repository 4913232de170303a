"""The metrics page. It tells how much traffic there is, so it is behind the key where there is one."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from app import telemetry

router = APIRouter(tags=["operations"])


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def read_metrics() -> Response:
    """Counters, gauges and histograms of all worker processes together, as Prometheus reads them."""
    return Response(telemetry.render_metrics(), media_type=CONTENT_TYPE_LATEST)
