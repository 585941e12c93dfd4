"""The noise of a drill: whoever is to be misled is misled to the end, and no bound of a load ends the drill instead."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from harness.drivers.acts import Act, Changes
from harness.drivers.injector import MAX_LOAD_S, CellInjector
from harness.engine.drill import DrillRun
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.desk.extras import extras_of
from harness.fronts.desk.sight import wanted_by_drills
from harness.fronts.drills.choose import DECOYS, Choice, choose
from harness.fronts.drills.facilitator import Facilitator
from harness.fronts.drills.noise import PATH, Noise
from harness.model.values import Reply
from stack.services.common.app import create_app
from stack.services.common.metrics import CollectorRegistry
from tests.fakes import world as worlds
from tests.fakes.world import FakeEquipment, World

TOPOLOGY = load_topology(None)
CATALOGUE = load_catalogue("scenarios", TOPOLOGY)
EXTRAS = extras_of("scenarios", TOPOLOGY)


class Setter(Changes):
    """Changes to no cell at all."""

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Nothing is there to restart."""


class Nobody:
    """Whoever is asked for by a load, and says nothing."""

    def __getattr__(self, verb: str) -> Any:
        async def nothing(*args: Any, **kwargs: Any) -> None:
            return None

        return nothing


def chosen(level: int, seed: int = 1) -> Choice:
    return choose(CATALOGUE, EXTRAS, TOPOLOGY, section="", level=level, seed=seed, profile="ci")


@pytest.mark.parametrize("level", [1, 2, 3])
async def test_the_real_injector_lets_every_level_be_misleading(level: int) -> None:
    acts: list[Act] = []
    nobody: Any = Nobody()
    changes = Setter(nobody, nobody, "injector", acts.append)
    injector = CellInjector(nobody, changes, links=nobody, sessions=nobody, broker=nobody, store=nobody, asker=nobody)

    class Equipment:
        """Only its injector is asked for."""

    equipment: Any = Equipment()
    equipment.injector = injector
    choice = chosen(level)
    await Facilitator._mislead(equipment, choice)
    await injector.release()
    assert [a.failed for a in acts] == [None] * (DECOYS if level >= 2 else 0)
    noise = [w for w in choice.scenario.workload if isinstance(w, Noise)]
    assert tuple(w.service for w in noise) == choice.noisy
    assert len(noise) == (level if level >= 2 else 0)


async def test_noise_goes_on_to_the_end_of_a_drill_that_is_longer_than_any_load() -> None:
    world, asked_s = World(), []
    equipment = FakeEquipment(world)

    async def request(service: str, method: str, path: str, **_more: Any) -> Reply:
        assert (service, method, path) == ("front", "GET", PATH)
        asked_s.append(world.clock.now_s())
        return Reply(404, b"{}", {}, None, 0.0)

    equipment.client.request = request  # type: ignore[method-assign]
    scenario = worlds.scenario(world)
    run = DrillRun(
        replace(scenario, workload=(*scenario.workload, Noise("front"))), equipment, lambda _event: None, seed=1,
        settings=equipment.cell.topology.numbers("ci"), sections={}, policy=None, also={}, mislead=_nobody, wait_s=1.0,
    )  # fmt: skip

    async def trainee() -> None:
        await run.paged.wait()
        await world.clock.sleep(MAX_LOAD_S * 3)
        run.over.set()

    going = asyncio.create_task(trainee())
    await run.drill()
    await going
    assert run.paged_s is not None
    assert world.injected_s is not None
    assert asked_s[0] < world.injected_s
    assert asked_s[-1] > run.paged_s + MAX_LOAD_S * 3 - 2.0
    assert len(asked_s) > MAX_LOAD_S * 3 * 0.9
    assert not [s for s in equipment.ledger if s.op.startswith("noise")]


async def _nobody() -> None:
    """Nobody is misled otherwise."""


async def test_a_service_says_in_its_log_that_it_was_asked_for_what_it_has_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(CollectorRegistry(), (), ready={})
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "headers": [],
        "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
    }  # fmt: skip
    await app(scope, receive, send)
    assert sent[0]["status"] == 404
    assert any(PATH in r.getMessage() for r in caplog.records)


def test_every_drill_reads_what_the_witness_of_any_second_factor_reads() -> None:
    wanted = wanted_by_drills(CATALOGUE)
    for scenario in CATALOGUE.scenarios.values():
        missing = [(s, m) for p in scenario.probes for s, m in p.metrics if m not in wanted[s]]
        assert missing == [], scenario.id
    # No check reads it; the witness of FM-NOTI-03 does.
    assert "destination_requests_current" in wanted["destination"]
