"""Cells side by side: a machine that does not bear them changes times, not verdicts."""

from collections import Counter, deque
from pathlib import Path
from typing import Any

import pytest

from harness.drivers.clock import turn
from harness.engine import plan
from harness.engine.outcome import Outcome
from harness.engine.plan import Item
from harness.engine.session import TRIES_ALONE, Lane, Session
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.model.arms import TIMELINE
from harness.model.events import Claimed, Event, Finding, Noted, Phase, RunAgain, ScenarioStarted
from harness.model.scenario import Catalogue
from harness.model.values import Ability
from harness.report.record import of


class Bearing(Session):
    """A session whose machine bears so many cells; scenarios come to their findings at once."""

    def __init__(self, bears: int) -> None:
        self.journal: list[Event] = []
        self.most = 0
        self.lanes_left = 0
        self._bears = bears
        super().__init__(
            None,  # type: ignore[arg-type]  (no cell is made)
            Catalogue("none", {}, {}),
            None,  # type: ignore[arg-type]
            self.journal.append,
            profile="ci",
            logs=Path(),
            clock_s=lambda: 0.0,
        )

    async def run_one(self, lane: Lane, item: Any) -> Outcome:
        self.most = max(self.most, self._side_by_side)
        busy = self._side_by_side > self._bears
        finding = Finding.TOO_BUSY if busy else Finding.AS_EXPECTED
        claim = "INCONCLUSIVE" if busy else "PROVEN"
        self._emit(ScenarioStarted(0, item.label, "t", [], "timeline", 1, "f", "s", "r"))
        self._emit(Claimed(0, item.label, claim, [finding.value], "", None, None, None, None))
        return Outcome(findings=[(finding, Phase.INVARIANTS, "")])


class Named:
    def __init__(self, label: str) -> None:
        self.label = label


async def worked(bears: int, lanes: int, *, adapt: bool) -> Bearing:
    session = Bearing(bears)
    session._side_by_side = lanes
    queue: deque[Item] = deque(Named(f"FM-{n}") for n in range(6))  # type: ignore[misc]
    for n in range(lanes):
        await session._work(Lane(n), queue, adapt)
    session.lanes_left = session._side_by_side
    session._side_by_side = 1
    await session._work(Lane(0), queue, adapt)
    return session


@pytest.mark.parametrize("bears", [1, 2, 3])
async def test_what_was_too_busy_beside_others_runs_again_beside_fewer(bears: int) -> None:
    session = await worked(bears, 4, adapt=True)
    record = of(session.journal)
    assert [s.label for s in sorted(record.scenarios, key=lambda s: s.label)] == [f"FM-{n}" for n in range(6)]
    assert {s.claim_name for s in record.scenarios} == {"PROVEN"}
    assert session.lanes_left == bears
    assert any("and ran again" in note for note in record.notes)


async def test_what_was_too_busy_while_cells_were_made_costs_no_lane() -> None:
    session = Bearing(1)
    making = Lane(2)
    session._lanes, session._side_by_side = [Lane(1), making], 2
    session._lanes[0].stands.set()
    late = 3

    async def run_one(lane: Lane, item: Any) -> Outcome:
        nonlocal late
        order.append(item.label)
        late -= 1
        if not late:
            making.stands.set()
        return Outcome(findings=[(Finding.TOO_BUSY if late >= 0 else Finding.AS_EXPECTED, Phase.INVARIANTS, "")])

    session.run_one = run_one  # type: ignore[method-assign]
    order: list[str] = []
    queue: deque[Item] = deque(Named(f"FM-{n}") for n in range(2))  # type: ignore[misc]
    await session._work(Lane(1), queue, adapt=True)
    assert order == ["FM-0", "FM-1", "FM-0", "FM-1", "FM-0"], "what was late runs again after another one"
    assert session._side_by_side == 2


@pytest.mark.parametrize(("again", "lanes"), [(0, 3), (1, 3), (2, 2)])
async def test_what_is_late_once_costs_no_lane_and_what_is_late_again_does(again: int, lanes: int) -> None:
    session, left = Bearing(3), again
    session._side_by_side = 3

    async def run_one(_lane: Lane, _item: Any) -> Outcome:
        nonlocal left
        left -= 1
        finding = Finding.TOO_BUSY if left >= 0 else Finding.AS_EXPECTED
        return Outcome(findings=[(finding, Phase.INVARIANTS, "")])

    session.run_one = run_one  # type: ignore[method-assign]
    queue: deque[Item] = deque([Named("FM-0")])  # type: ignore[list-item]
    await session._work(Lane(1), queue, adapt=True)
    assert session._side_by_side == lanes
    assert len([e for e in session.journal if isinstance(e, RunAgain)]) == again


async def test_what_is_too_busy_alone_stays_inconclusive_after_a_few_tries() -> None:
    journal = (await worked(0, 3, adapt=True)).journal
    record = of(journal)
    assert {s.claim_name for s in record.scenarios} == {"INCONCLUSIVE"}
    assert len(record.scenarios) == 6
    alone = Counter(e.scenario for e in journal if isinstance(e, RunAgain) and e.cells == 1)
    assert alone == Counter({f"FM-{n}": TRIES_ALONE - 1 for n in range(6)})


async def test_what_was_too_busy_alone_runs_again_after_all_others() -> None:
    session, order = Bearing(1), list[str]()

    async def run_one(_lane: Lane, item: Any) -> Outcome:
        order.append(item.label)
        finding = Finding.TOO_BUSY if len(order) == 1 else Finding.AS_EXPECTED
        return Outcome(findings=[(finding, Phase.INVARIANTS, "")])

    session.run_one = run_one  # type: ignore[method-assign]
    queue: deque[Item] = deque(Named(f"FM-{n}") for n in range(3))  # type: ignore[misc]
    await session._work(Lane(1), queue, adapt=True)
    assert order == ["FM-0", "FM-1", "FM-2", "FM-0"]


async def test_alone_only_what_the_machine_was_too_busy_for_runs_again() -> None:
    session, runs = Bearing(1), 0

    async def run_one(_lane: Lane, _item: Any) -> Outcome:
        nonlocal runs
        runs += 1
        return Outcome(findings=[(Finding.NOT_STEADY, Phase.STEADY, "")])

    session.run_one = run_one  # type: ignore[method-assign]
    await session._work(Lane(1), deque([Named("FM-0")]), adapt=True)  # type: ignore[list-item]
    assert runs == 1


async def test_a_number_that_was_asked_for_is_kept() -> None:
    session = await worked(1, 4, adapt=False)
    assert not any(isinstance(e, RunAgain) for e in session.journal)


class InTurn(Session):
    """A session that notes which lanes make a cell at once and where a scenario began; each cell of `lost` does not come."""

    def __init__(self, lost: frozenset[int] = frozenset()) -> None:
        self.making = 0
        self.at_once = 0
        self.began: list[int] = []
        self.taken: list[str] = []
        self.ran: list[str] = []
        self.stood_when_one_began: list[int] = []
        self.told: list[Event] = []
        self._lost = lost
        super().__init__(
            None,  # type: ignore[arg-type]  (no cell is made)
            Catalogue("none", {}, {}),
            None,  # type: ignore[arg-type]
            self.told.append,
            profile="ci",
            logs=Path(),
            clock_s=lambda: 0.0,
        )

    async def stand(self, lane: Lane, item: Any) -> Outcome | None:
        self.taken.append(item.label)
        self.began.append(lane.number)
        self.making += 1
        self.at_once = max(self.at_once, self.making)
        await turn()
        self.making -= 1
        if lane.number in self._lost:
            self.ran.append(item.label)
            return Outcome()
        return None

    async def run_one(self, lane: Lane, item: Any) -> Outcome:
        if item.label not in self.taken:
            self.taken.append(item.label)
        self.stood_when_one_began.append(len([other for other in self._lanes if other.stands.is_set()]))
        self.ran.append(item.label)
        # Others have their turn while a scenario runs.
        await turn()
        return Outcome()


class Able:
    """A runtime that can do everything and makes nothing."""

    abilities = frozenset(Ability)
    name = "process"

    def __init__(self, *, cells_first: bool) -> None:
        self.cells_first = cells_first
        self.rested = 0

    def want(self, part: str) -> None:
        """Nothing has to begin."""

    async def at_rest(self) -> None:
        """It always is."""
        self.rested += 1


async def in_turn(session: InTurn, lanes: int, *, cells_first: bool = False) -> Able:
    runtime = Able(cells_first=cells_first)
    session._runtime = runtime  # type: ignore[assignment]
    topology = load_topology(None)
    scenarios = list(load_catalogue("scenarios", topology).scenarios.values())
    await session.run(plan.items(scenarios, TIMELINE, 1), lanes)
    return runtime


@pytest.mark.parametrize(("cells_first", "at_once"), [(False, 1), (True, 3)])
async def test_cells_are_made_one_after_another_unless_nothing_runs_beside(cells_first: bool, at_once: int) -> None:
    session = InTurn()
    await in_turn(session, 3, cells_first=cells_first)
    assert session.at_once == at_once
    assert session.began == [1, 2, 3]


@pytest.mark.parametrize(("cells_first", "stood"), [(False, 1), (True, 3)])
@pytest.mark.parametrize("lost", [frozenset[int](), frozenset({2})])
async def test_where_making_cells_keeps_the_machine_busy_scenarios_begin_after_the_last(
    cells_first: bool, stood: int, lost: frozenset[int]
) -> None:
    session = InTurn(lost)
    runtime = await in_turn(session, 3, cells_first=cells_first)
    assert runtime.rested == int(cells_first), "once for all lanes"
    notes = [e.says for e in session.told if isinstance(e, Noted)]
    assert notes == ["3 cells are made before the first scenario begins"] * cells_first
    assert session.stood_when_one_began[0] == stood
    assert len(session.ran) == len(set(session.ran)) == len(load_catalogue("scenarios", load_topology(None)).scenarios)


async def test_a_scenario_with_nothing_beside_it_waits_for_no_shared_part() -> None:
    assert (await in_turn(InTurn(), 1, cells_first=True)).rested == 0


async def test_a_lane_without_a_cell_keeps_no_other_waiting_for_ever() -> None:
    session = InTurn(frozenset({1}))
    await in_turn(session, 3)
    assert session.began[0] == 1


@pytest.mark.parametrize("cells_first", [False, True])
async def test_what_is_first_in_the_plan_begins_first(cells_first: bool) -> None:
    topology = load_topology(None)
    items = plan.items(list(load_catalogue("scenarios", topology).scenarios.values()), TIMELINE, 1)
    session = InTurn()
    session._runtime = Able(cells_first=cells_first)  # type: ignore[assignment]
    await session.run(list(reversed(items)), 2)
    assert session.taken == [i.label for i in reversed(items)]
