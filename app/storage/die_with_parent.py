"""Run a program that ends when its parent does, even by SIGKILL: `python die_with_parent.py PARENT PROGRAM ARGS...`.

PARENT is the parent's process id, PROGRAM an absolute path. Linux only. A file of its own, run by a fresh interpreter,
since code between fork and exec is not safe in a process that has threads (`preexec_fn`). The kernel ties the signal
to the *thread* that started us: that thread has to live as long as the program shall.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("the parent ended before its child began")
    os.execv(command[0], command)  # noqa: S606 - the command is our caller's own, and no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
