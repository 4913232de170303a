"""One measured load: wrk sends, psutil reads what the server's process spent meanwhile."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SCRIPT = """
local bodies = {}
for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = line end
local n = 0
wrk.method, wrk.headers["content-type"] = "POST", "application/json"
function request()
  n = n + 1
  return wrk.format(nil, "%(path)s", nil, bodies[(n - 1) %% #bodies + 1])
end
function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format('\\n{"requests": %%d, "failed": %%d, "seconds": %%f, "p50_ms": %%f, "p99_ms": %%f}\\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Measured:
    """cpu_ms: of the server's process a request, user and system together: what it costs on any number of cores."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def measure(
    url: str, path: str, bodies: Sequence[str], server_pid: int, folder: Path, *, connections: int, seconds: int
) -> Measured:
    """Sends the bodies in turn over `connections`, each waiting for its answer. Raises where one was refused."""
    listed, script = folder / "bodies.jsonl", folder / "load.lua"
    listed.write_text("\n".join(bodies) + "\n")
    script.write_text(SCRIPT % {"bodies": listed, "path": path})
    server = psutil.Process(server_pid)
    before = server.cpu_times()
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s", "--timeout", "30s"]
    done = subprocess.run(["wrk", *options, "--script", str(script), url], capture_output=True, text=True, check=True)
    after = server.cpu_times()
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise RuntimeError(f"{told['failed']} of {told['requests']} requests to {path} failed: {done.stdout}")
    spent_s = after.user + after.system - before.user - before.system
    return Measured(
        requests_per_s=told["requests"] / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        cpu_ms=spent_s * 1_000 / told["requests"],
    )
