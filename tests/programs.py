"""Programs that tests want of the machine, none of them Python's."""

import os
import shutil

import pytest


def find_program(*names: str, target: str) -> str:
    """The first of the names that is installed. Without any the test is skipped; with CI=true it fails, so that what CI
    was to check is never passed over in silence. target: of make, as root on Debian it installs one."""
    for name in names:
        if found := shutil.which(name):
            return found
    missing = f"{' and '.join(names)} not installed: `make {target}` does it, as root on Debian"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
