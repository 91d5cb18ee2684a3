"""Checkov finds nothing to blame that is not answered for, with its reason, beside the resource itself."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.k8s.rendering import ROOT, rendered

CHECKOV = "checkov==3.3.30"


def test_a_policy_check_finds_nothing_that_has_no_reason(all_overlays: Sequence[str], tmp_path: Path) -> None:
    uv = ROOT / ".uv/bin/uv"
    if not uv.exists():
        pytest.skip(f"expected: needs {uv} to fetch checkov, as `make setup` installs it")
    for overlay in all_overlays:
        (tmp_path / f"{overlay}.yaml").write_text(rendered(overlay))
    found = checkov(str(uv), tmp_path)
    failed = found["results"]["failed_checks"]
    assert [f"{f['file_path']} {f['resource']}: {f['check_id']} {f['check_name']}" for f in failed] == []
    assert found["summary"]["passed"] > 300
    assert all(check["check_result"]["suppress_comment"] for check in found["results"]["skipped_checks"])


def checkov(uv: str, folder: Path) -> dict[str, Any]:
    """Return what checkov says of a folder, in an environment of its own: its dependencies are not ours."""
    command = [uv, "tool", "run", "--from", CHECKOV, "checkov", "--directory", str(folder)]
    command += ["--framework", "kubernetes", "--output", "json", "--skip-download", "--soft-fail"]
    environ = os.environ | {"LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if not done.stdout.lstrip().startswith("{"):
        pytest.fail(f"checkov said nothing that can be read:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
