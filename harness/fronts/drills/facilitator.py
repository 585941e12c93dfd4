"""The facilitator: leads one drill from the cell to the debrief, and keeps the answer in memory until then."""

import asyncio
import contextlib
import json
import random
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from harness.drivers.clock import SystemClock
from harness.drivers.lines import LineServer, taken
from harness.engine.drill import DrillRun
from harness.engine.rehearsal import response_of
from harness.fronts.desk.desk import Desk, Told, Verb
from harness.fronts.desk.extras import Extras
from harness.fronts.desk.served import ALL, policy_for, socket_of
from harness.fronts.desk.sight import wanted_by_drills
from harness.fronts.drills.choose import Choice, choose, drillable
from harness.fronts.drills.sealed import SealedJournal
from harness.fronts.drills.trainee import DRILL, Asked, Notes
from harness.fronts.lock import only_one
from harness.fronts.wiring import equip, make_runtime
from harness.model.conduct import Conducted, Kind, kind_of
from harness.model.drill import Answer, BrokenRule, DrillRecord
from harness.model.errors import ActFailed, GamedayError, InfrastructureError, Unreadable, UsageError
from harness.model.events import Acted, Checked, Event, RunFinished, RunStarted
from harness.model.runtime import Cell, CellSpec, Equipment, Runtime
from harness.model.scenario import Catalogue
from harness.model.scoring import score
from harness.model.topology import Topology
from harness.model.values import Ability
from harness.model.words import unforeseen, writable
from harness.report import debrief
from harness.report.history import History
from harness.report.lang import Messages, text

READY_S = 180.0
CHANGES = "3.2/"
"""How the keys of the runbook's rules for changes begin."""

ARM = "drill"
"""Stands in the journal in the place of an arm: nothing is claimed of the runbook."""

DESK = "drill"
"""The name of a drill's desk."""

LOCK = "drill.lock"
MOVED = "name another folder in GAMEDAY_STATE"

BLIND = frozenset({"help"})
"""Views that show nothing of the system."""

NUDGED = 3
"""Between so many sections a nudge leaves the choice."""


@dataclass(frozen=True)
class Options:
    """What a drill was asked for; see `gameday drill --help`."""

    section: str = ""
    level: int = 1
    seed: int = 0
    limit_s: float = 900.0
    trainee: str = ""
    runtime: str = "auto"
    profile: str = "ci"
    reports: Path = Path("reports")
    messages: Messages = field(default_factory=Messages)


class Front(Protocol):
    """Where the trainee sits."""

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Show something: `rules`, `ready`, `page`, `over`, `debrief`."""

    async def serve(self, desk: Desk, ended: Callable[[str], None]) -> None:
        """Let the trainee work until there is nothing more to read; then `ended` says so."""


class Facilitator:
    """One drill."""

    def __init__(self, options: Options, topology: Topology, catalogue: Catalogue, extras: Extras) -> None:
        self._options = options
        self._topology = topology
        self._catalogue = catalogue
        self._extras = extras
        self._clock = SystemClock()
        self._notes = Notes(self._clock)
        now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        self.drill_id = f"drill-{now}-{secrets.token_hex(2)}"
        self.folder = options.reports / self.drill_id
        self._drill: DrillRun | None = None
        self._steps: Answer | None = None
        self._abilities = frozenset(Ability)
        self._trouble = ""
        self._ended_s: float | None = None
        self._conducted: list[Event] = []
        self._working: asyncio.Task[None] | None = None

    async def lead(self, front: Front) -> DrillRecord:
        """From the cell to the debrief; whatever happens, there is one.

        Raises UsageError when there is nothing to begin with, and InfrastructureError for a folder that takes nothing.
        """
        desk, said = socket_of(DESK), self._options.messages
        if taken(desk):
            raise UsageError(said.sentence(f"another drill keeps {desk}: end it first"))
        # Its desk opens with the page: until then the lock tells that it is on its way.
        begins = said.sentence(f"another drill begins at {desk.parent}: end it first")
        with only_one(desk.parent, LOCK, begins, said.sentence(MOVED)):
            return await self._lead(front)

    async def _lead(self, front: Front) -> DrillRecord:
        options = self._options
        rules = text("drill.rules", options.messages.lang).strip()
        front.tell("rules", {"rules": rules, "level": options.level, "limit_s": options.limit_s})
        hidden = Path(tempfile.mkdtemp(prefix="gameday-"))  # 0700: logs of proxies tell what was done to them
        try:
            runtime, _ = make_runtime(options.runtime, self._topology, hidden / "logs")
            self._abilities = runtime.abilities
            choice = choose(
                self._catalogue, self._extras, self._topology, section=options.section, level=options.level,
                seed=options.seed, profile=options.profile, abilities=runtime.abilities,
            )  # fmt: skip
            self._steps = await self._answer_to(choice)
            journal = SealedJournal(self.folder, self._topology.secrets.values())
        except BaseException:
            # There is no drill: nothing of it stays.
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        try:
            self._working = asyncio.create_task(self._on(runtime, choice, journal, front, hidden))
            with contextlib.suppress(asyncio.CancelledError):
                await self._working
        except (GamedayError, OSError) as error:
            self._trouble = str(error)
        except Exception as error:  # noqa: BLE001  (the trainee's work is not lost, whatever it was)
            self._trouble = f"the drill broke in a way that nobody foresaw: {unforeseen(error)}"
        finally:
            # What cannot be closed dies with this process.
            with contextlib.suppress(Exception):
                await runtime.close()
            journal.write(RunFinished(self._clock.now_s(), None, self._clock.wall(), self._notes.ended == "closed"))
        record, lost = self._record(), ""
        try:
            self._write(record, journal, hidden)
        except Exception as error:  # noqa: BLE001  (it is told all the same)
            lost = unforeseen(error)
            journal.close()
        front.tell("debrief", {"record": record, "folder": str(self.folder)})
        if lost:
            raise InfrastructureError(options.messages.sentence(f"{self.folder} could not be written: {lost}"))
        return record

    def end(self, why: str) -> None:
        """End the drill; the first reason stands."""
        self._notes.ended = self._notes.ended or why
        if self._drill is not None and self._notes.paged_s is not None:
            self._drill.over.set()
        elif self._working is not None:
            self._working.cancel()

    async def _answer_to(self, choice: Choice) -> Answer:
        s = choice.scenario
        section = self._catalogue.sections.get(s.sections[0]) if s.sections else None
        checks = section.checks if section else ()
        keys, titles = tuple(c.key for c in checks), tuple(c.title for c in checks)
        steps = await response_of(s, self._topology)
        decoys = (
            *(f"{service} {name} was set to {value}" for service, name, value in choice.decoys),
            *(f"{service} was asked for what it does not have" for service in choice.noisy),
        )
        (label, title), *others = choice.factors
        return Answer(label, title, s.sections, s.fault.says, (), steps, keys, decoys, tuple(others), titles)

    async def _on(self, runtime: Runtime, choice: Choice, journal: SealedJournal, front: Front, hidden: Path) -> None:
        options, scenario = self._options, choice.scenario
        await runtime.open()
        started = RunStarted(
            self._clock.now_s(), None, self.drill_id, self._clock.wall(), options.seed, runtime.name, options.profile,
            ARM, [scenario.label], dict(runtime.versions),
        )  # fmt: skip
        journal.write(started)
        shared = [name for name, part in self._topology.parts.items() if part.shared]
        for name in shared:
            runtime.want(name)
        cell = await runtime.cell(CellSpec("cell-1", options.profile, hidden / "logs" / "cell-1", scenario.settings))
        equipment = equip(cell, lambda _verb, fields: self._acted(fields, scenario.label, journal), self._clock)
        try:
            await cell.ready([*self._topology.services, *self._topology.parts], timeout_s=READY_S)
            await equipment.begin_scenario()
            await equipment.data.take_baseline()
            self._drill = self._make(cell, equipment, choice, journal)
            await self._train(self._drill, equipment, front, cell)
        finally:
            await equipment.close()

    def _make(self, cell: Cell, equipment: Equipment, choice: Choice, journal: SealedJournal) -> DrillRun:
        s = choice.scenario
        return DrillRun(
            s, equipment, journal.write, seed=self._options.seed,
            settings=cell.topology.numbers(self._options.profile, s.own),
            sections=self._catalogue.sections, policy=policy_for(self._catalogue, cell),
            also=wanted_by_drills(self._catalogue), mislead=lambda: self._mislead(equipment, choice),
            wait_s=choice.wait_s,
        )  # fmt: skip

    def _acted(self, fields: dict[str, Any], label: str, journal: SealedJournal) -> None:
        event = Acted(self._clock.now_s(), label, **fields)
        journal.write(event)
        if event.who == "operator":
            self._notes.acted(event)
            self._conducted.append(event)
            self._looked(kind_of(event, {}) is Kind.LOOK and event.failed is None, event.verb, event.target)
        elif self._drill is not None:
            self._drill.acted(event)

    def _done(self, verb: Verb, words: Sequence[str], told: Told | GamedayError) -> None:
        self._notes.done(verb, words, told)
        sees = not verb.changes and verb.group != DRILL and verb.name not in BLIND
        self._looked(sees and not isinstance(told, GamedayError), verb.name, " ".join(words))

    def _looked(self, really: bool, key: str, title: str) -> None:
        """A rule that asks for a look at the checks between two changes is content with any look at the system."""
        if really:
            self._conducted.append(Checked(self._clock.now_s(), None, key, title, {}))

    def _rules(self) -> tuple[BrokenRule, ...] | None:
        """The rules for changes that the acts broke; None when the catalogue has none."""
        conduct = self._catalogue.conduct
        if conduct is None:
            return None
        conducted = Conducted(self._conducted, conduct.tools)
        judged = [(rule, rule.check(conducted)) for rule in conduct.rules if rule.key.startswith(CHANGES)]
        return tuple(BrokenRule(rule.key, rule.title, broken[1]) for rule, broken in judged if broken is not None)

    @staticmethod
    async def _mislead(equipment: Equipment, choice: Choice) -> None:
        for service, name, value in choice.decoys:
            await equipment.injector.set_setting(service, name, value)

    async def _train(self, drill: DrillRun, equipment: Equipment, front: Front, cell: Cell) -> None:
        del cell
        asked = Asked(
            self._notes, self._topology, self._catalogue, self._options.limit_s, lambda: drill.page, self._answer,
            drill.confirmed, self.end, self._others(), self._options.messages,
        )  # fmt: skip
        desk = Desk(
            equipment, self._catalogue, drill, {**ALL, **asked.verbs()}, self._extras,
            messages=self._options.messages, acting=drill.acting, on_done=self._done,
        )  # fmt: skip
        going = asyncio.create_task(drill.drill(), name="drill")
        paged = asyncio.create_task(drill.paged.wait(), name="page")
        try:
            await asyncio.wait({going, paged}, return_when=asyncio.FIRST_COMPLETED)
            if not paged.done():
                await going
                findings = "; ".join(says for _, _, says in drill.outcome.findings)
                self._trouble = findings or "nobody could be paged"
                return
            self._notes.paged_s = drill.paged_s
            await self._paged(drill, desk, front, going)
        finally:
            paged.cancel()
            going.cancel()
            with contextlib.suppress(asyncio.CancelledError, InfrastructureError, Unreadable):
                await going

    async def _paged(self, drill: DrillRun, desk: Desk, front: Front, going: "asyncio.Task[None]") -> None:
        limit_s = self._options.limit_s
        self._notes.note("page", drill.page)
        front.tell("page", {"alert": drill.page, "limit_s": limit_s, "drill": self.drill_id})
        server = LineServer(socket_of(DESK), desk.handle)
        await server.begin()
        serving = asyncio.create_task(front.serve(desk, self.end), name="trainee")
        over = asyncio.create_task(drill.over.wait(), name="over")
        try:
            await asyncio.wait({over, going, serving}, timeout=limit_s, return_when="FIRST_COMPLETED")
            if serving.done() and (error := serving.exception()) is not None:
                raise error
            if going.done() and not drill.over.is_set():
                self._trouble = "; ".join(says for _, _, says in drill.outcome.findings) or "it ended by itself"
            self.end("the time is over")
            self._ended_s = self._clock.now_s()
            front.tell("over", {"why": self._trouble or self._notes.ended})
        finally:
            for task in (serving, over):
                task.cancel()
            await asyncio.gather(serving, over, return_exceptions=True)
            await server.end()
            drill.over.set()
            with contextlib.suppress(InfrastructureError, Unreadable, ActFailed):
                await going

    def _others(self) -> tuple[str, ...]:
        """The section of the answer among others that it might be as well, for the nudge."""
        own = self._steps.sections[:1] if self._steps else ()
        likely = {key for s in drillable(self._catalogue, self._abilities) for key in s.sections}
        rest = [key for key in self._catalogue.sections if key in likely and key not in own]
        rng = random.Random(f"nudge {self._options.seed}")
        return tuple(sorted([*own, *rng.sample(rest, min(NUDGED - 1, len(rest)))]))

    def _answer(self) -> Answer:
        assert self._steps is not None  # noqa: S101  (made before anything was broken)
        broken = tuple(self._drill.broken) if self._drill is not None else ()
        return replace(self._steps, broken=broken)

    def _record(self) -> DrillRecord:
        drill, notes, options = self._drill, self._notes, self._options
        ended_s = self._clock.now_s() if self._ended_s is None else self._ended_s
        whole = not self._trouble and notes.paged_s is not None
        return DrillRecord(
            self.drill_id, writable(options.trainee), options.level, options.seed, options.limit_s, self._answer(),
            drill.outcome.injected_s if drill else None, notes.paged_s, drill.page if drill else "", ended_s,
            self._trouble or notes.ended or "it could not begin", whole, tuple(notes.entries),
            drill.recovered_s if drill else None, drill.collateral if drill else "", self._rules(),
            drill.budget_minutes if drill else None,
        )  # fmt: skip

    def _write(self, record: DrillRecord, journal: SealedJournal, hidden: Path) -> None:
        """Everything into the drill's folder, now that it may be known; raises what keeps it from there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lost = journal.open()
        said = self._options.messages
        for name, content in (
            ("debrief.md", debrief.markdown(record, said)),
            ("debrief.txt", debrief.text(record, said)),
            ("debrief.json", json.dumps(debrief.plain(record, said), indent=1, ensure_ascii=False, default=str)),
        ):
            (self.folder / name).write_text(content, encoding="utf-8", errors="backslashreplace")
        if record.whole:
            # The debrief is in the folder whatever becomes of the history.
            with contextlib.suppress(InfrastructureError), History(self.folder.parent) as history:
                result = {"score": total(record), "level": record.level, "seed": record.seed, "ended": record.ended}
                history.add_drill(
                    self._clock.wall(),
                    record.trainee,
                    record.answer.label,
                    result | debrief.times(record),
                    self.drill_id,
                )
        with contextlib.suppress(OSError):
            if (hidden / "logs").is_dir():
                shutil.copytree(hidden / "logs", self.folder / "logs", dirs_exist_ok=True)
            shutil.rmtree(hidden, ignore_errors=True)
        if lost:
            raise InfrastructureError(lost)


def lead_to_end(facilitator: Facilitator, front: Front) -> DrillRecord:
    """Lead a drill with an event loop of its own; Ctrl-C, SIGTERM and a closed terminal end it with a debrief."""

    async def main() -> DrillRecord:
        loop = asyncio.get_running_loop()
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(sig, facilitator.end, "closed")
        return await facilitator.lead(front)

    return asyncio.run(main())


def total(record: DrillRecord) -> float:
    """The points of a drill."""
    return score(record).total
