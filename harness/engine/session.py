"""A whole run: lanes side by side, each a cell that is reset between scenarios and thrown away when it is not clean."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.engine import claim, plan
from harness.engine.conduct import Secretary
from harness.engine.outcome import Outcome
from harness.engine.plan import Item
from harness.engine.reconcile import reconcile
from harness.engine.run import ScenarioRun
from harness.model.alerts import Policy
from harness.model.errors import ActFailed, CellError, InfrastructureError, Unreadable
from harness.model.events import (
    Acted,
    CellReady,
    Claim,
    Claimed,
    Event,
    Finding,
    Noted,
    Phase,
    RunAgain,
    ScenarioStarted,
    Timed,
)
from harness.model.runtime import Cell, CellSpec, Equipment, Runtime
from harness.model.scenario import Catalogue, Scenario
from harness.model.span import Settings
from harness.model.words import UNFORESEEN, located, unforeseen

Emit = Callable[[Event], None]

Equip = Callable[[Cell, Callable[[str, dict[str, Any]], None]], Equipment]
"""Makes the equipment of a cell; acts on it are told as a verb with the fields of model.events.Acted."""

PolicyOf = Callable[[Settings], Policy | None]
"""The alert policy with the numbers of a cell; None when nothing is watched by one."""

TRIES_ALONE = 3
"""So often a scenario is run alone on a machine that is too busy for it: a stall of the machine passes, a load does not."""

CELL_READY_S = 120.0
"""How long a cell may take to answer on a machine that is busy with others."""


@dataclass
class Lane:
    """One cell after another, one scenario at a time.

    Attributes:
        fresh: whether no scenario has had the cell yet.
        ahead_s: what making it took before its first scenario was begun.
        trouble: what went wrong beyond any scenario's verdict, one line each.
        stands: set once its first cell is there, or did not come.
    """

    number: int
    cell: Cell | None = None
    equipment: Equipment | None = None
    label: str | None = None
    fresh: bool = False
    ahead_s: float = 0.0
    trouble: list[str] = field(default_factory=list)
    stands: asyncio.Event = field(default_factory=asyncio.Event)


class Session:
    """Runs items on cells of one runtime."""

    def __init__(
        self,
        runtime: Runtime,
        catalogue: Catalogue,
        equip: Equip,
        emit: Emit,
        *,
        profile: str,
        logs: Path,
        clock_s: Callable[[], float],
        policy: PolicyOf = lambda _settings: None,
        cells: str = "cell",
    ) -> None:
        self._runtime = runtime
        self._catalogue = catalogue
        self._equip = equip
        self._tell = emit
        self._secretary = Secretary(catalogue.conduct, emit)
        self._emit = self._secretary.emit
        self._profile = profile
        self._logs = logs
        self._now = clock_s
        self._policy = policy
        self._cells = cells
        self._made = 0
        self._side_by_side = 1
        self._lanes: list[Lane] = []
        self._late: set[str] = set()
        self._alone: Counter[str] = Counter()
        self.claims: dict[str, Claim] = {}

    @property
    def trouble(self) -> list[str]:
        """What went wrong with the machine beyond any claim, one line each."""
        return [says for lane in self._lanes for says in lane.trouble]

    async def run(self, items: Sequence[Item], jobs: int, *, adapt: bool = False) -> None:
        """Run every item, begun in their order; claims are in `claims`, what else went wrong in `trouble`.

        With `adapt`, a scenario that was too busy beside others runs again: beside fewer, unless the cells were still being
        made when it began or it was so for the first time. The load of its own run must change times, not verdicts. One
        that is too busy alone runs again after all others, TRIES_ALONE times in all, then it stays inconclusive. Cells are
        made one after another while scenarios run on the first, for of those that are made at once all are late; or all at
        once before any scenario begins: see Runtime.cells_first.
        """
        queue: deque[Item] = deque()
        for item in items:
            reason = plan.skipped(item, self._runtime.abilities, self._runtime.name)
            if reason is None:
                queue.append(item)
            else:
                self._skip(item, reason)
        for part in sorted({part for item in queue for part in item.scenario.uses}):
            self._runtime.want(part)
        lanes = self._lanes = [Lane(n) for n in range(1, max(1, min(jobs, len(queue))) + 1)]
        self._side_by_side = len(lanes)
        together = self._runtime.cells_first and len(lanes) > 1
        if together:
            self._emit(Noted(self._now(), None, f"{len(lanes)} cells are made before the first scenario begins"))
        try:
            async with asyncio.TaskGroup() as group:
                begin = group.create_task(self._until_all_stand(lanes)) if together else None
                for before, lane in zip([None, *lanes], lanes, strict=False):
                    group.create_task(self._in_turn(lane, before, queue, adapt, begin), name=f"lane {lane.number}")
            # A lane that gave its scenario back may have been the last one at work.
            self._side_by_side = 1
            await self._work(lanes[0], queue, adapt)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await asyncio.gather(*(self.let_go(lane) for lane in lanes))

    async def _until_all_stand(self, lanes: Sequence[Lane]) -> None:
        for lane in lanes:
            await lane.stands.wait()
        await self._runtime.at_rest()

    async def _in_turn(
        self, lane: Lane, before: Lane | None, queue: deque[Item], adapt: bool, begin: asyncio.Task[None] | None
    ) -> None:
        """Make a cell when the lane before has its own, and work; or make it at once, and work when `begin` is done."""
        try:
            if before is not None and begin is None:
                await before.stands.wait()
            if not queue:
                return
            item = queue.popleft()
            lost = await self.stand(lane, item)
        finally:
            lane.stands.set()
        if begin is not None:
            await begin
        await self._work(lane, queue, adapt, item if lost is None else None)

    def _skip(self, item: Item, reason: str) -> None:
        self.claims[item.label] = Claim.SKIPPED
        self._emit(Claimed(self._now(), item.label, Claim.SKIPPED.value, [], reason, None, None, None, None))

    async def _work(self, lane: Lane, queue: deque[Item], adapt: bool, first: Item | None = None) -> None:
        while first or queue:
            item, first = first or queue.popleft(), None
            beside, settled = self._side_by_side, self._settled()
            outcome = await self.run_one(lane, item)
            if not adapt or not any(f is Finding.TOO_BUSY for f, _, _ in outcome.findings):
                continue
            if beside == 1:
                self._alone[item.label] += 1
                if self._alone[item.label] < TRIES_ALONE:
                    self._emit(RunAgain(self._now(), item.label, beside))
                    queue.append(item)
                continue
            self._emit(RunAgain(self._now(), item.label, beside))
            # Soon, for the longest are the first: at the end it would keep the run alone. Not next, for those that were late
            # together would be so again.
            queue.insert(beside - 1, item)
            # Late once may have been a stall of the machine, or bad company; late again is no accident. Those that were late
            # together are late for one reason: one lane fewer is the answer to all of them. While cells are made, their
            # making is the reason, and it passes.
            again = item.label in self._late
            self._late.add(item.label)
            if settled and again and self._side_by_side >= beside:
                self._side_by_side = beside - 1
                await self.let_go(lane)
                return

    def _settled(self) -> bool:
        """Whether every lane's first cell is there, or did not come."""
        return all(lane.stands.is_set() for lane in self._lanes)

    async def run_one(self, lane: Lane, item: Item) -> Outcome:
        """Run one item on the lane's cell; whatever fails, there is a claim."""
        lost = await self._set_up(lane, item, self._ready)
        if lost is not None:
            return lost
        assert lane.equipment is not None  # noqa: S101  (made ready just now)
        assert lane.cell is not None  # noqa: S101
        numbers = lane.cell.topology.numbers(self._profile, item.scenario.own)
        run = ScenarioRun(
            item.scenario,
            item.arm,
            lane.equipment,
            self._emit,
            seed=item.seed,
            settings=numbers,
            sections=self._catalogue.sections,
            policy=self._policy(numbers),
            invariants=self._catalogue.invariants,
        )
        outcome = await run.run()
        self.claims[item.label] = claim.of(f for f, _, _ in outcome.findings)
        if not outcome.restored:
            await self.let_go(lane)
        lane.label = None
        return outcome

    async def stand(self, lane: Lane, item: Item) -> Outcome | None:
        """Make the lane's first cell, as this item wants it; gives what the item came to when there is none."""
        began_s = self._now()
        lost = await self._set_up(lane, item, self._make)
        lane.ahead_s = 0.0 if lost else self._now() - began_s
        return lost

    async def _set_up(self, lane: Lane, item: Item, how: Callable[[Lane, Scenario], Awaitable[None]]) -> Outcome | None:
        lane.label = item.label
        try:
            await how(lane, item.scenario)
        except (InfrastructureError, Unreadable) as error:
            return await self._give_up(lane, item, str(error))
        except Exception as error:  # noqa: BLE001  (the other lanes' verdicts must not end with it)
            return await self._give_up(lane, item, f"{UNFORESEEN}: {located(error)}")
        return None

    async def _give_up(self, lane: Lane, item: Item, error: str) -> Outcome:
        """A scenario whose cell did not come, or went away: inconclusive, with the reason."""
        s = item.scenario
        self._emit(
            ScenarioStarted(
                self._now(), s.label, s.title, list(s.sections), item.arm.name, item.seed, s.fault.says,
                str(s.symptom), str(s.recovery),
            )
        )  # fmt: skip
        outcome = Outcome(findings=[(Finding.UNKNOWN, Phase.STEADY, f"no cell: {error}")])
        claim.emit(outcome, self._emit, self._now(), s.label)
        self.claims[item.label] = Claim.INCONCLUSIVE
        await self.let_go(lane)
        return outcome

    async def _ready(self, lane: Lane, scenario: Scenario) -> None:
        """A clean cell with the scenario's settings, and the shared parts that it uses."""
        began_s = self._now()
        if lane.cell is None or lane.equipment is None:
            await self._make(lane, scenario)
        elif dict(lane.cell.spec.settings) != scenario.settings:
            try:
                lane.cell.adopt(scenario.settings)
                await reconcile(lane.equipment)
            except (ActFailed, CellError, Unreadable) as error:
                self._emit(Noted(self._now(), scenario.label, f"the cell could not take other settings: {error}"))
                await self.let_go(lane)
                await self._make(lane, scenario)
        cell, equipment = lane.cell, lane.equipment
        assert cell is not None  # noqa: S101  (made above)
        assert equipment is not None  # noqa: S101
        shared = [name for name, part in cell.topology.parts.items() if part.shared]
        wanted = [name for name in shared if name in scenario.uses]
        if wanted:
            await cell.ready(wanted, timeout_s=CELL_READY_S)
        await equipment.begin_scenario()
        if lane.fresh:
            await equipment.data.take_baseline()
            lane.fresh = False
        took_s, lane.ahead_s = self._now() - began_s + lane.ahead_s, 0.0
        self._emit(CellReady(self._now(), scenario.label, cell.name, took_s))
        self._emit(Timed(self._now(), scenario.label, "cell", took_s))

    async def _make(self, lane: Lane, scenario: Scenario) -> None:
        self._made += 1
        # The name tells nothing of what will be broken in it.
        name = f"{self._cells}-{self._made}"
        spec = CellSpec(name, self._profile, self._logs / name, dict(scenario.settings))
        cell = await self._runtime.cell(spec)
        lane.cell = cell

        def act(_verb: str, fields: dict[str, Any]) -> None:
            acted = Acted(self._now(), lane.label, **fields)
            self._secretary.saw(acted)
            self._tell(acted)

        lane.equipment = self._equip(cell, act)
        await cell.ready(timeout_s=CELL_READY_S)
        lane.fresh = True

    async def let_go(self, lane: Lane) -> None:
        """Close the lane's cell; what cannot be closed is for the runtime's own closing."""
        equipment, cell = lane.equipment, lane.cell
        lane.equipment = lane.cell = None
        for closing in (equipment, cell):
            try:
                if closing is not None:
                    await closing.close()
            except Exception as error:  # noqa: BLE001  (its own or a bug: the runtime's own closing removes what is left)
                says = str(error) if isinstance(error, InfrastructureError) else unforeseen(error)
                lane.trouble.append(f"{cell.name if cell else 'a cell'} could not be closed: {says}")
