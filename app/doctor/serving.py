"""What is served and where: settings, bundle, port."""

import difflib
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

from app.doctor.finding import Finding, broken, doubtful, fine
from app.serve import refuse_exposure
from app.settings import FILE_VARIABLE, Settings, settings_file
from app.storage.database import database_path

PREFIX = "PENCHANT_"
OTHERS = {FILE_VARIABLE, "PENCHANT_TORCH", "PENCHANT_REQUIRE_REDIS", "PENCHANT_RECIPE"}


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Raises SettingsError where the service would stand open."""
    refuse_exposure(settings)
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OTHERS
    for name in sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known):
        (near, *_) = (*difflib.get_close_matches(name, known, 1), "")
        yield doubtful(f"{name} is set and no setting has that name", f"is {near} meant?" if near else "unset it")
    changed = sorted(name for name in Settings.model_fields if name in settings.model_fields_set)
    file = settings_file()
    where = f", {file} is read" if file.is_file() else ""
    yield fine(f"{len(changed)} of {len(Settings.model_fields)} are not the default: {', '.join(changed)}{where}")


def check_bundle(settings: Settings) -> Iterator[Finding]:
    """Every byte, and every golden query. Raises BundleError."""
    from app.catalogue.leftovers import ADVICE, count_leftovers
    from app.device import choose_device
    from app.wiring import load_bundle

    bundle, trained, _ = load_bundle(settings.bundle_dir, choose_device(settings))
    about = bundle.manifest
    yield fine(
        f"{about.version} is whole and answers as when it was trained: {about.dataset}, recipe {about.recipe}, "
        f"{about.n_items:,} items"
    )
    left = count_leftovers(database_path(settings.database_url), [item.item_id for item in trained.items])
    if left.are_many:
        yield doubtful(
            f"{left.n:,} of {left.n_served:,} items came with another bundle or data set, and are served too", ADVICE
        )


def check_port(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host}:{settings.port}"
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: ports just closed are free
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            yield _explain_taken(where, error)
        else:
            yield fine(f"{where} is free")


def _explain_taken(where: str, error: OSError) -> Finding:
    try:
        with urllib.request.urlopen(f"http://{where}/livez", timeout=2) as answer:
            if b"alive" in answer.read(100):
                return fine(f"{where} is taken by a Penchant that is alive")
    except (OSError, ValueError):
        pass
    return broken(f"{where} cannot be listened on: {error.strerror}", "stop who holds it, or set PENCHANT_PORT")
