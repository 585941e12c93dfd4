"""A drill on a stack in memory: paged, responded to, declared recovered, and told apart from what is not."""

import asyncio
from collections.abc import Awaitable, Callable

from harness.engine.drill import DrillRun
from harness.model.drill import Deed
from harness.model.events import Acted, Event
from tests.fakes import world as worlds
from tests.fakes.world import FakeEquipment, World

Trainee = Callable[[DrillRun, FakeEquipment], Awaitable[None]]


async def drilled(world: World, trainee: Trainee) -> tuple[DrillRun, list[Event]]:
    events: list[Event] = []
    equipment = FakeEquipment(world)

    async def nothing() -> None:
        """Nobody is misled."""

    run = DrillRun(
        worlds.scenario(world), equipment, events.append, seed=1, settings=equipment.cell.topology.numbers("ci"),
        sections={}, policy=None, also={}, mislead=nothing, wait_s=1.0,
    )  # fmt: skip
    going = asyncio.create_task(run.drill())
    paged = asyncio.create_task(run.paged.wait())
    await asyncio.wait({going, paged}, return_when=asyncio.FIRST_COMPLETED)
    if paged.done():
        await trainee(run, equipment)
        run.over.set()
    await going
    paged.cancel()
    return run, events


async def restores(run: DrillRun, equipment: FakeEquipment) -> None:
    async with run.acting():
        await equipment.operator.restore_route("front->store")
    assert (await run.confirmed())[0]


async def misses(run: DrillRun, equipment: FakeEquipment) -> None:
    async with run.acting():
        await equipment.operator.restore_route("front->other")
    confirmed, short = await run.confirmed()
    assert not confirmed
    assert short


async def idles(_run: DrillRun, _equipment: FakeEquipment) -> None:
    """Nothing is done."""


async def test_a_trainee_who_restores_it_has_recovered_it() -> None:
    run, _ = await drilled(World(), restores)
    assert run.recovered_s is not None
    assert run.paged_s is not None
    assert run.recovered_s >= run.paged_s


async def test_what_was_confirmed_stays_so_whatever_the_next_sweep_shows() -> None:
    world = World()

    async def is_believed(run: DrillRun, equipment: FakeEquipment) -> None:
        await restores(run, equipment)
        world.always_bad = True
        # Longer than what settles after the act may excuse.
        await run._watch.rest(run._now() + 10.0)

    run, _ = await drilled(world, is_believed)
    assert run.recovered_s is not None


async def test_an_act_on_something_else_recovers_nothing() -> None:
    assert (await drilled(World(), misses))[0].recovered_s is None


async def test_doing_nothing_recovers_nothing() -> None:
    assert (await drilled(World(), idles))[0].recovered_s is None


async def test_what_broke_redis_is_in_the_part_that_speaks_it() -> None:
    run, _ = await drilled(World(), idles)
    run._injecting = True
    run.acted(Acted(1.0, "X-1", "injector", "redis", "SET", {"arguments": "a b"}, 0.1))
    assert run.broken == [Deed("redis", "SET", part="store")]
    assert run.broken[0].places == {"store"}


async def test_nobody_is_paged_when_the_fault_does_not_show() -> None:
    run, _ = await drilled(World(symptom_shows=False), idles)
    assert run.paged_s is None
    assert run.outcome.findings


async def test_without_an_alert_the_page_tells_nothing() -> None:
    run, _ = await drilled(World(), idles)
    assert "no alert" in run.page


async def test_an_injection_that_takes_long_takes_nothing_of_the_symptoms_time() -> None:
    run, _ = await drilled(World(injecting_s=60.0), idles)
    assert run.paged_s is not None
    assert not run.outcome.findings
