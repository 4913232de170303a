"""One recipe from nothing to a slate: `python examples/recipes/run.py shop`, or `make recipe NAME=shop`.

Every step is a command that is printed before it runs. What it makes lies under `var/recipes/NAME`; nothing else is
touched. With `--serve` the server stays until Ctrl-C.
"""

import argparse
import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
READY_WITHIN_S = 240
PENCHANT = (sys.executable, "-m", "app.cli")


def main() -> None:
    names = sorted(path.parent.name for path in HERE.glob("*/make_data.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=names)
    parser.add_argument("--folder", type=Path, help="where everything is made [default: var/recipes/NAME]")
    parser.add_argument("--recipe", default="tiny", help="training recipe: tiny tries the path, fast is for use")
    parser.add_argument("--train", default="", help="more words for `penchant train`, such as --text-model FOLDER")
    parser.add_argument("--serve", action="store_true", help="keep serving")
    told = parser.parse_args()
    recipe, folder = HERE / told.name, (told.folder or Path("var/recipes") / told.name).absolute()
    settings = {
        "PENCHANT_CONFIG_FILE": str((recipe / "settings.toml").absolute()),
        "PENCHANT_DATA_DIR": str(folder / "var"),
        "PENCHANT_BUNDLE_DIR": str(folder / "artifacts/current"),
        "PENCHANT_REDIS_URL": os.environ.get("PENCHANT_REDIS_URL", "memory://"),
    }
    run([sys.executable, str(recipe / "make_data.py"), str(folder)], settings)
    tables = [str(folder / "events.csv"), str(folder / "items.csv")]
    run(penchant("data", "clean", *tables, "--name", told.name, "--mapping", str(recipe / "mapping.toml")), settings)
    run(penchant("train", told.name, "--recipe", told.recipe, *shlex.split(told.train)), settings)
    run(penchant("data", "load", told.name), settings)
    serve_and_ask(recipe, settings, keep=told.serve)


def penchant(*words: str) -> list[str]:
    return [*PENCHANT, *words]


def run(command: Sequence[str], settings: dict[str, str]) -> None:
    print("$", shlex.join(command).replace(shlex.join(PENCHANT), "penchant"), flush=True)
    subprocess.run(command, env={**os.environ, **settings}, check=True)


def serve_and_ask(recipe: Path, settings: dict[str, str], *, keep: bool) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    print(f"$ penchant serve --port {port}", flush=True)
    server = subprocess.Popen([*PENCHANT, "serve", "--port", str(port)], env={**os.environ, **settings})
    try:
        wait_until_ready(url, server)
        for placement in json.loads((recipe / "placements.json").read_text()):
            name = placement.pop("name")
            ask("PUT", f"{url}/v1/placements/{name}", placement)
            print(f"placement {name}: {placement['description']}")
        for question in json.loads((recipe / "ask.json").read_text()):
            show(ask("POST", f"{url}/v1/recommendations", question), question)
        if keep:
            print(f"{url}/docs, until Ctrl-C", flush=True)
            server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None or time.monotonic() > give_up_at:
                raise SystemExit("the server did not start: see the lines above") from None
            time.sleep(0.2)


def ask(method: str, url: str, body: Any) -> Any:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise SystemExit(f"{method} {url} was refused: {refusal.read().decode()}") from None


def show(slate: Any, question: Any) -> None:
    print(f"\n{json.dumps(question)}")
    for item in slate["items"]:
        reason = item["reasons"][0]["text"] if item["reasons"] else ""
        about = item["properties"]
        print(f"  {item['score']:7.2f}  {', '.join(about['categories']):<16} {about['title']:<46} {reason}")


if __name__ == "__main__":
    main()
