"""`pytest` on a folder of scenarios: an item each, a finding as the failure's text, evidence as of any run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
from dataclasses import replace

from scenarios.fm_ob_01_outbox_does_not_publish import SCENARIO as OURS

SCENARIO = replace(OURS, id="{id}", sections=(){more})
"""

pytestmark = pytest.mark.timeout(200)


def test_pytest_runs_a_catalogue_and_a_finding_is_the_failures_text(tmp_path: Path) -> None:
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "fm_ob_01.py").write_text(MODULE.format(id="FM-OB-01", more=""))
    (package / "fm_ob_09.py").write_text(MODULE.format(id="FM-OB-09", more=", response=(OURS.placebo,)"))
    command = [sys.executable, "-m", "pytest", "planted", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--gameday-runtime", "process", "--gameday-reports", str(tmp_path / "reports")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "FM-OB-09 REFUTED" in done.stdout
    assert "NOT_RECOVERED in recover" in done.stdout
    assert "Traceback" not in done.stdout
    (latest,) = (tmp_path / "reports").glob("latest")
    claims = {c["id"]: c["claim"] for c in json.loads((latest / "run.json").read_text())["claims"]}
    assert claims == {"FM-OB-01": "PROVEN", "FM-OB-09": "REFUTED"}
    assert (latest / "report.html").exists()
