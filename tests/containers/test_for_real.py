"""Every scenario in containers: the same engine, the same verdicts."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.report.record import RunRecord
from tests.catalogue.real_run import CATALOGUE
from tests.containers.real_docker import engine
from tests.whole import broken_rules, run_all, shortfall

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.engine, pytest.mark.timeout(900)]

SCENARIOS = list(CATALOGUE.scenarios.values())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def in_containers(tmp_path_factory: Any) -> RunRecord:
    """All of them, run once."""
    engine()
    return await run_all("docker", Path(tmp_path_factory.mktemp("whole")))


@pytest.mark.parametrize("label", [s.label for s in SCENARIOS])
async def test_it_is_proven_in_containers(in_containers: RunRecord, label: str) -> None:
    assert shortfall(in_containers, label) == ""


@pytest.mark.parametrize("label", [s.label for s in SCENARIOS])
async def test_its_response_breaks_no_rule_in_containers(in_containers: RunRecord, label: str) -> None:
    assert broken_rules(in_containers, label) == []
