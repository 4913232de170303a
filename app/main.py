"""The application: `uvicorn app.main:create_app --factory`, or `penchant serve`. Importing this does nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI
from starlette.middleware import Middleware

from app.api import (
    bundles,
    catalogue,
    events,
    experiments,
    explanations,
    items,
    leaderboards,
    maps,
    metrics,
    online_metrics,
    operations,
    placements,
    problem_types,
    ranking,
    recommendations,
    search,
    similar,
    user_data,
    users,
)
from app.api.admission import InFlight, RateLimits
from app.api.dependencies import Service, State
from app.api.edge import SECURITY_HEADERS, ExtraHeaders, LastResort, PlainStart, SizeGuard, Telemetry
from app.api.keys import Keys, key_guard
from app.api.openapi import DESCRIPTION, SWAGGER, TAGS, problem_responses, publish
from app.api.problems import install_problems
from app.console import CONSOLE_HEADERS, CONSOLE_PATH, serve_console
from app.logs import configure_logging
from app.settings import Settings
from app.threads import let_waiting_threads_sleep

Opener = Callable[[Settings], AbstractAsyncContextManager[Service]]


def create_app(settings: Settings | None = None, service: Opener | None = None) -> FastAPI:
    """service: opens what the routes call, for as long as the app runs; `app.wiring.open_service` when None."""
    settings = settings or Settings()
    configure_logging(json_logs=settings.json_logs)
    keys = Keys(settings)
    app = FastAPI(
        title="Penchant",
        version=version("penchant"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        swagger_ui_parameters=SWAGGER,
        swagger_ui_oauth2_redirect_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
        lifespan=_lifespan(settings, service or _open_real_service),
        middleware=_layers(settings, keys),
    )
    install_problems(app)
    guard = key_guard(keys)
    guarded = (401, 403) if keys.has_admin else (401,) if guard else ()
    limited = (429,) if settings.rate_limit else ()
    everywhere = (405, 408, 413, 500)
    refused = problem_responses(400, *guarded, 404, 415, 422, *limited, *everywhere, 503)
    # Before the items, whose ids may be anything.
    app.include_router(
        catalogue.imports(settings.data_dir),
        dependencies=guard,
        responses=refused,
        max_body_size=settings.max_import_bytes,
    )
    asking = (catalogue, recommendations, ranking, explanations, search, leaderboards, similar)
    kept = (events, items, users, user_data, placements, bundles, experiments, online_metrics, maps)
    for resource in (*asking, *kept):
        app.include_router(
            resource.router,
            dependencies=guard,
            responses=refused,
            max_body_size=settings.max_body_bytes,
        )
    app.include_router(metrics.router, dependencies=guard, responses=problem_responses(*guarded, *everywhere))
    app.include_router(operations.router, responses=problem_responses(*everywhere))
    app.include_router(problem_types.router, responses=problem_responses(*everywhere, 503))
    publish(app, rate_limited=bool(settings.rate_limit))
    serve_console(app)
    return app


def _lifespan(settings: Settings, open_service: Opener) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[State]:
        async with open_service(settings) as service:
            yield State(service=service)

    return lifespan


def _open_real_service(settings: Settings) -> AbstractAsyncContextManager[Service]:
    let_waiting_threads_sleep()
    from app.wiring import open_service  # torch, FAISS and a bundle: for a server that starts, not for an import

    return open_service(settings)


def _layers(settings: Settings, keys: Keys) -> list[Middleware]:
    """Outermost first: whatever answers, its answer has a request id, is counted and carries the headers."""
    limits = [Middleware(RateLimits, settings, keys)] if settings.rate_limit else []
    return [
        Middleware(PlainStart),
        Middleware(CorrelationIdMiddleware),
        Middleware(Telemetry),
        Middleware(ExtraHeaders, CONSOLE_HEADERS, under=CONSOLE_PATH),
        Middleware(ExtraHeaders, SECURITY_HEADERS),
        Middleware(LastResort),
        *limits,
        Middleware(InFlight, settings.max_in_flight),
        Middleware(SizeGuard, settings.max_body_bytes, {catalogue.IMPORT: settings.max_import_bytes}),
    ]
