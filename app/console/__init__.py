"""The web page at /console: files that call the API like any other client, and can do nothing that it cannot.

Served without a key, as the documentation is: the page asks for the key and sends it with its own requests.
"""

from pathlib import Path

from fastapi import FastAPI

CONSOLE_PATH = "/console"

CONSOLE_HEADERS = {
    # Everything from this server, nothing inline, nothing evaluated.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # asked again each time, by ETag: a new version's files never meet an old one's
}


def serve_console(app: FastAPI) -> None:
    """Serve the page's files, after every route of the API."""
    app.frontend(CONSOLE_PATH, directory=Path(__file__).parent / "static", fallback=None)
