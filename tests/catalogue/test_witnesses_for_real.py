"""A service that does not take what it is given is not broken by it: planted on the real stack, and seen by the witness."""

import pytest

from harness.model.events import Finding
from harness.model.faults import ChangedSetting
from tests.catalogue.real_run import CATALOGUE, Stage
from tests.fakes.account_deaf import DEAF_TO
from tests.real import DEAF_ACCOUNT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240), pytest.mark.deep]

SCENARIO = CATALOGUE.scenarios["FM-ACC-02"]


async def test_a_setting_that_does_not_arrive_has_no_witness(stage: Stage) -> None:
    assert isinstance(SCENARIO.fault, ChangedSetting)
    assert SCENARIO.fault.name == DEAF_TO

    async def deaf() -> None:
        assert stage.lane.cell is not None
        stage.lane.cell.deploy("account", DEAF_ACCOUNT)
        await stage.lane.cell.restart("account")

    stage.on_phase["steady"] = deaf
    outcome = await stage.play(SCENARIO)
    assert [f for f, _, _ in outcome.findings] == [Finding.NO_WITNESS], outcome.findings
