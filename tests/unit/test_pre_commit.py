import subprocess
import sys

from app.offline.report import REPOSITORY


def test_the_configuration_of_pre_commit_is_one() -> None:
    words = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
