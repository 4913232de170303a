"""How the threads of torch and FAISS wait for one another. Imports neither: it must be told before they are loaded."""

import os


def let_waiting_threads_sleep() -> None:
    """Threads that wait for others of their group leave the core to whoever has work, unless the environment says else.

    OpenMP's own way is to spin. On two cores that others wanted too, an encode with two threads took 400 to 900 ms so,
    longer than `encode_budget_ms`; asleep, 4 to 20 ms. Where torch is loaded already, this changes nothing.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
