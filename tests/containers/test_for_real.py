"""Every scenario in containers: the same engine, the same verdicts."""

import pytest

from harness.model.events import Finding
from harness.model.scenario import Scenario
from tests.catalogue.real_run import CATALOGUE, Stage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.mark.parametrize("scenario", CATALOGUE.scenarios.values(), ids=lambda s: s.label)
async def test_it_is_proven_in_containers(docker_stage: Stage, scenario: Scenario) -> None:
    outcome = await docker_stage.play(scenario)
    assert [f for f, _, _ in outcome.findings] == [Finding.AS_EXPECTED], outcome.findings
    assert outcome.restored
