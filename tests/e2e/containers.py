"""What docker-compose.yml says, run without an engine: its very commands and variables as processes on loopback.

A container's paths become folders under `root`, its services' names become 127.0.0.1 and its ports free ones; nothing
else is changed. The image's content is what the Dockerfile copies, installed as the Dockerfile installs it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
OUTSIDE = ("VIRTUAL_ENV", "PENCHANT_")


@dataclass
class Compose:
    """root: where the containers' paths are. told: the variables that a person would set for `docker compose`."""

    root: Path
    told: Mapping[str, str]
    ports: dict[str, int] = field(default_factory=dict)

    @cached_property
    def document(self) -> dict[str, Any]:
        return dict(yaml.safe_load(VARIABLE.sub(self._interpolate, (REPOSITORY / "docker-compose.yml").read_text())))

    def service(self, name: str) -> dict[str, Any]:
        return dict(self.document["services"][name])

    def command(self, name: str) -> list[str]:
        words = [*_entrypoint(self.service(name)), *self.service(name)["command"]]
        return [self._here(word, name) for word in words]

    def environment(self, name: str) -> dict[str, str]:
        """Nothing of ours leaks in: only what the image and compose set, and what any process needs to run here."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(OUTSIDE)}
        told = {n: self._here(str(v), name) for n, v in self.service(name).get("environment", {}).items()}
        path = f"{self.path('/bin')}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        image = {"PATH": path, "PYTHONPATH": str(self.site), "PYTHONUNBUFFERED": "1", "HOME": str(self.root)}
        return {**kept, **image, **told}

    @cached_property
    def site(self) -> Path:
        """Where the wheel is installed, as in /opt/penchant: what it forgot to pack is not there."""
        context, site = self.root / "context", self.root / "site"
        for dockerfile in ("api", "offline"):
            for names in COPIED.findall((REPOSITORY / f"docker/{dockerfile}.Dockerfile").read_text()):
                for name in names.split():
                    _copy(REPOSITORY / name, context / name)
        install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site), str(context)]
        subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
        return site

    def start(self, name: str, log: Path, *extra: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self.command(name), *extra],
                stdout=output,
                stderr=output,
                env=self.environment(name),
                cwd=self.path("/srv"),
            )

    def run(self, name: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """A command of one's own in place of the service's, as `docker compose run NAME WORDS` gives it."""
        command = [self._here(word, name) for word in (*_entrypoint(self.service(name)), *words)]
        return subprocess.run(
            command, capture_output=True, text=True, env=self.environment(name), cwd=self.path("/srv"), check=False
        )

    def port(self, service: str) -> int:
        return self.ports.setdefault(service, _free_port())

    def path(self, inside: str) -> Path:
        folder = self.root / inside.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _here(self, word: str, name: str) -> str:
        for mount in self.service(name).get("volumes", ()):
            source, target, *_ = mount.split(":")
            if source.startswith("./"):
                word = re.sub(rf"{re.escape(target)}(?=/|$)", str(REPOSITORY / source[2:]), word)
        word = re.sub(r"(?<![\w/])/srv(?=/)", str(self.root / "srv"), word)
        word = re.sub(r"\b(api|valkey):\d+", lambda found: f"127.0.0.1:{self.port(found[1])}", word)
        word = word.replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - the other way round: nothing here is exposed
        return str(self.port(name)) if word == "8000" else word

    def _interpolate(self, found: re.Match[str]) -> str:
        name, kind, rest = found[1], found[2], found[3]
        if kind == "?" and not self.told.get(name):
            raise KeyError(f"{name}: {rest}")
        return self.told.get(name) or (rest if kind == "-" else "")


def health_command(compose: Compose) -> list[str]:
    """The API image's HEALTHCHECK."""
    dockerfile = (REPOSITORY / "docker/api.Dockerfile").read_text()
    (told,) = re.findall(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])", dockerfile)
    words: list[str] = yaml.safe_load(told)
    return [sys.executable, *(word.replace("127.0.0.1:8000", f"127.0.0.1:{compose.port('api')}") for word in words[1:])]


def _entrypoint(service: Mapping[str, Any]) -> list[str]:
    """`penchant`, from the tree that is installed; the entry point that the offline image names itself."""
    program = {"penchant-api": [], "penchant-offline": ["penchant"], "locustio/locust": ["locust"]}
    return program.get(service["image"].partition(":")[0], [])


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
