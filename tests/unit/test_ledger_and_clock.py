"""The ledger's order, and time that passes only when everybody waits."""

import asyncio
import random

from harness.drivers.clock import VirtualClock
from harness.engine.traffic import Traffic
from harness.model.ledger import Ledger, Sent
from tests.fakes.world import FakeEquipment, FakeWorkload, World


def sent(
    ended_s: float, *, planned_s: float = 0.0, late_s: float = 0.0, op: str = "a.b", accepted: bool = True
) -> Sent:
    return Sent(op, planned_s, planned_s + late_s, ended_s, 200, accepted=accepted)


def test_since_counts_from_the_end_of_requests() -> None:
    ledger = Ledger()
    for at in (1.0, 2.0, 1.9, 3.0):
        ledger.add(sent(at))
    assert len(ledger.since(2.0)) == 3
    assert len(ledger.since(3.1)) == 0
    assert ledger.ratio(0, ("a.b",), lambda s: s.accepted) == 1
    assert ledger.ratio(0, ("c.d",), lambda s: s.accepted) is None
    assert ledger.ratio(0, (), lambda s: s.accepted, minimum=5) is None
    ledger.clear()
    assert len(ledger) == 0


def test_lateness_counts_from_the_planned_moment() -> None:
    ledger = Ledger()
    for n in range(100):
        ledger.add(sent(float(n), planned_s=float(n), late_s=0.2 if n == 99 else 0.0))
    assert ledger.lateness_s(0.5) == 0.0
    assert abs((ledger.lateness_s(0.99) or 0) - 0.2) < 1e-9
    assert ledger.lateness_s(0.99, 200) is None
    assert abs(sent(1.0, planned_s=0.5, late_s=0.1).latency_s - 0.5) < 1e-9


async def test_minutes_pass_in_no_time_and_in_order() -> None:
    clock = VirtualClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(f"{name} {clock.now_s():g}")

    await asyncio.gather(sleeper("late", 120), sleeper("early", 1), sleeper("middle", 60))
    assert woken == ["early 1", "middle 60", "late 120"]


async def test_traffic_is_sent_at_planned_times_whatever_the_system_does() -> None:
    world = World()
    equipment = FakeEquipment(world)
    traffic = Traffic((FakeWorkload(world, rate_hz=20.0),), equipment.client, random.Random(3), 3)
    await traffic.begin(world.clock)
    await world.clock.sleep(10)
    await traffic.end()
    planned = [s.planned_s for s in equipment.ledger]
    assert 199 <= len(planned) <= 201
    assert all(abs(p - n / 20) <= 0.2 / 20 + 1e-9 for n, p in enumerate(planned))


async def test_the_same_seed_sends_the_same() -> None:
    async def planned() -> list[float]:
        world = World()
        equipment = FakeEquipment(world)
        traffic = Traffic((FakeWorkload(world),), equipment.client, random.Random(5), 5)
        await traffic.begin(world.clock)
        await world.clock.sleep(5)
        await traffic.end()
        return [s.planned_s for s in equipment.ledger]

    assert await planned() == await planned()
