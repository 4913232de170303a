"""All checks, in the order in which a start needs what they look at."""

from app.doctor.finding import Check
from app.doctor.machine import check_clock, check_disk, check_memory, check_python, check_threads, check_torch
from app.doctor.serving import check_bundle, check_port, check_settings
from app.doctor.stores import check_database, check_redis

CHECKS: tuple[tuple[str, Check], ...] = (
    ("python", check_python),
    ("settings", check_settings),
    ("torch", check_torch),
    ("threads", check_threads),
    ("memory", check_memory),
    ("disk", check_disk),
    ("clock", check_clock),
    ("database", check_database),
    ("redis", check_redis),
    ("bundle", check_bundle),
    ("port", check_port),
)
