"""Every scenario in containers: the same engine, the same verdicts."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.drivers.docker import DockerRuntime
from harness.report.record import RunRecord
from tests.catalogue.real_run import CATALOGUE
from tests.whole import claim_of, is_proven, mostly_proven, run_all

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.engine, pytest.mark.timeout(900)]

SCENARIOS = list(CATALOGUE.scenarios.values())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def in_containers(docker_runtime: DockerRuntime, tmp_path_factory: Any) -> RunRecord:
    """All of them, run once."""
    return await run_all(docker_runtime, SCENARIOS, Path(tmp_path_factory.mktemp("whole")))


@pytest.mark.parametrize("label", [s.label for s in SCENARIOS])
async def test_it_is_proven_in_containers(in_containers: RunRecord, label: str) -> None:
    assert is_proven(in_containers, label), claim_of(in_containers, label)


async def test_most_of_them_have_a_verdict_in_containers(in_containers: RunRecord) -> None:
    assert mostly_proven(in_containers), [(s.label, s.claim_name, s.reason) for s in in_containers.scenarios]
