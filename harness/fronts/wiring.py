"""The one composition root: options in, a run out."""

import asyncio
import random
import secrets
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness.drivers import machine
from harness.drivers.acts import Act
from harness.drivers.cleanup import clean_up
from harness.drivers.clock import SystemClock
from harness.drivers.equipment import CellEquipment
from harness.drivers.process import ProcessRuntime
from harness.engine import claim, plan
from harness.engine.plan import Item
from harness.engine.session import Session
from harness.fronts import books, reports
from harness.fronts.catalogue import load_catalogue, load_topology
from harness.fronts.channel import Setup
from harness.fronts.workers import WorkerSession
from harness.model.arms import ARMS
from harness.model.errors import GamedayError, InfrastructureError, UsageError
from harness.model.events import Event, Noted, RunFinished, RunStarted
from harness.model.runtime import Cell, Runtime
from harness.model.scenario import Catalogue, Scenario
from harness.model.span import Settings
from harness.model.topology import Topology
from harness.model.words import UNFORESEEN, located
from harness.report.journal import Journal
from harness.report.record import Recorder
from harness.slo.policy import SloPolicy, policy_of


@dataclass(frozen=True)
class Options:
    """What a run was asked for; see `gameday run --help`."""

    ids: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    variant: str = ""
    arm: str = "timeline"
    runtime: str = "auto"
    profile: str = "ci"
    jobs: str = "1"
    shard: str = ""
    shuffle: bool = False
    seed: int | None = None
    catalogue: str = "scenarios"
    stack: str | None = None
    reports: Path = Path("reports")
    junit: Path | None = None
    json: Path | None = None
    lang: str | None = None
    runbook: Path | None = None


@dataclass
class Plan:
    """A run that is checked and can begin.

    Attributes:
        jobs: cells side by side; None for as many as the machine bears when it begins.
        notes: they go into its journal.
    """

    options: Options
    topology: Topology
    catalogue: Catalogue
    items: list[Item]
    seed: int
    run_id: str
    folder: Path
    jobs: int | None = 1
    notes: tuple[str, ...] = ()


@dataclass
class Result:
    """What a run came to.

    Attributes:
        exit_code: see engine.claim.
        trouble: what went wrong beyond any claim, one line each.
    """

    exit_code: int
    recorder: Recorder
    folder: Path
    trouble: list[str] = field(default_factory=list)


OnEvent = Callable[[Event], None]

Beside = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on beside a run, which the event interrupts as Ctrl-C does."""


def prepare(options: Options) -> Plan:
    """Check everything that can be checked before anything is started; raises UsageError."""
    topology = load_topology(options.stack)
    if options.profile not in topology.profiles:
        raise UsageError(f"there is no profile {options.profile}; there are {', '.join(topology.profiles)}")
    if options.arm not in ARMS:
        raise UsageError(f"there is no arm {options.arm}; there are {', '.join(ARMS)}")
    catalogue, notes = books.sampled(
        load_catalogue(options.catalogue, topology), options.runbook, topology, options.profile
    )
    chosen = plan.choose(catalogue, options.ids, options.sections, options.variant)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1, 10**6)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    run_id = f"{now}-{secrets.token_hex(2)}"
    items = plan.items(chosen, ARMS[options.arm], seed)
    if options.shard:
        if options.seed is None:
            raise UsageError("--shard needs --seed, the same for every shard: the seeds of scenarios follow from it")
        number, count = _shard(options.shard)
        items = plan.shard(items, number, count)
        options = replace(options, shard=f"{number}/{count}")
    return Plan(options, topology, catalogue, items, seed, run_id, options.reports / run_id, _jobs(options.jobs), notes)


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise UsageError(f"--shard is i/n with i from 1 to n, not {text}")
    return int(number), int(count)


def _jobs(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--jobs is a number from 1 on, or auto, not {text}")
    return int(text)


def make_runtime(
    name: str, topology: Topology, logs: Path, joins: Mapping[str, Any] | None = None
) -> tuple[Runtime, str]:
    """The runtime of that name, and why it was chosen; raises EngineError when containers were asked for in vain.

    `joins` is what the runtime of another process of the same run shares; None for a run of its own.
    """
    if name == "process":
        return ProcessRuntime(topology, logs, joins), "parts run as processes on 127.0.0.1, as asked for"
    from harness.drivers.docker import DockerRuntime  # noqa: PLC0415  (slow to import, and not always wanted)
    from harness.drivers.docker_engine import Engine, EngineError  # noqa: PLC0415

    try:
        engine = Engine.connect()
    except EngineError as error:
        if name == "docker":
            raise
        return ProcessRuntime(topology, logs), f"parts run as processes on 127.0.0.1: {error}"
    why = "as asked for" if name == "docker" else "a container engine answers"
    return DockerRuntime(topology, logs, engine, joins), f"parts run as containers (Docker {engine.version}): {why}"


def equip(cell: Cell, act: Callable[[str, dict[str, Any]], None], clock: SystemClock) -> CellEquipment:
    """The equipment of a cell; acts are told with secret settings masked."""

    def on_act(done: Act) -> None:
        arguments = dict(done.arguments)
        name = arguments.get("name", "")
        if "value" in arguments and any(s.secret and s.name == name for s in cell.topology.settings):
            arguments["value"] = "***"
        act(
            done.verb,
            {
                "who": done.who,
                "verb": done.verb,
                "target": done.target,
                "arguments": arguments,
                "took_s": done.took_s,
                "failed": done.failed,
            },
        )

    return CellEquipment(cell, clock, on_act)


def slo_policy(catalogue: Catalogue, numbers: Settings) -> SloPolicy:
    """The catalogue's indicators and alerts with the numbers of a cell."""
    return policy_of(catalogue.series, catalogue.slis, catalogue.alerts, numbers)


def telling(journal: Journal, recorder: Recorder, on_event: OnEvent) -> OnEvent:
    """What tells an event to all who keep or show it, as the journal has it: none of them may meet a secret."""

    def tell(event: Event) -> None:
        seen = journal.write(event)
        recorder.add(seen)
        on_event(seen)

    return tell


async def run(ready: Plan, on_event: OnEvent, *, interrupted: asyncio.Event | None = None) -> Result:
    """Carry a plan out; the journal and the reports are written whatever happens."""
    options = ready.options
    clock = SystemClock()
    journal = Journal(ready.folder, ready.topology.secrets.values())
    recorder = Recorder(keep_sweeps=False)
    runtime, why = make_runtime(options.runtime, ready.topology, ready.folder / "logs")
    trouble: list[str] = []
    jobs = ready.jobs
    if jobs is None:
        # Before anything of ours begins: it would be taken for the machine's load.
        jobs = min(await asyncio.to_thread(machine.bears_cells, runtime.name), len(ready.items))

    emit = telling(journal, recorder, on_event)
    session = session_of(ready, runtime, clock, emit, jobs)
    was_interrupted = False
    labels = [item.label for item in ready.items]
    try:
        left = await asyncio.to_thread(clean_up, containers=runtime.name == "docker")
        await runtime.open()
        versions = dict(runtime.versions)
        emit(
            RunStarted(
                clock.now_s(), None, ready.run_id, clock.wall(), ready.seed, runtime.name, options.profile,
                options.arm, labels, versions, options.shard,
            )
        )  # fmt: skip
        for note in (why, *ready.notes, *left):
            emit(Noted(clock.now_s(), None, note))
        was_interrupted = await _until_done(session, ready, jobs, interrupted)
        trouble += session.trouble
    except GamedayError as error:
        trouble.append(str(error))
    except Exception as error:  # noqa: BLE001  (the reports of what was proven until then must not be lost with it)
        trouble.append(f"{UNFORESEEN}: {located(error)}")
    finally:
        try:
            await runtime.close()
        except InfrastructureError as error:
            trouble.append(str(error))
        emit(RunFinished(clock.now_s(), None, clock.wall(), was_interrupted))
        journal.close()
    if journal.failed:
        trouble.append(journal.failed)
    trouble += reports.write(
        recorder.run,
        ready.folder,
        {"run.json": options.json, "junit.xml": options.junit},
        lang=options.lang,
        catalogue=options.catalogue,
    )
    reports.point_latest(ready.folder)
    code = 130 if was_interrupted else claim.exit_code(session.claims.values(), trouble=bool(trouble))
    trouble += reports.remember(recorder.run, ready.folder)
    return Result(code, recorder, ready.folder, trouble)


def session_of(ready: Plan, runtime: Runtime, clock: SystemClock, emit: OnEvent, jobs: int = 1) -> Session:
    """The session that carries a plan out; cells side by side have a worker process each, one alone needs none."""
    options, logs = ready.options, ready.folder / "logs"

    def setup(number: int) -> Setup:
        return Setup(
            ready.topology, runtime.name, options.profile, options.catalogue, options.runbook, logs,
            clock.start_s, runtime.share(), f"cell-{number}",
        )  # fmt: skip

    made = partial(WorkerSession, setup=setup) if jobs > 1 else Session
    return made(
        runtime,
        ready.catalogue,
        lambda cell, on_act: equip(cell, on_act, clock),
        emit,
        profile=options.profile,
        logs=logs,
        clock_s=clock.now_s,
        policy=lambda numbers: slo_policy(ready.catalogue, numbers),
    )


def _in_order(ready: Plan, jobs: int) -> list[Item]:
    """In what order the items begin; the plan keeps the catalogue's."""

    def numbers_of(scenario: Scenario) -> Settings:
        return ready.topology.numbers(ready.options.profile, scenario.own)

    if ready.options.shuffle:
        return plan.shuffled(ready.items, ready.seed)
    return plan.longest_first(ready.items, numbers_of) if jobs > 1 else ready.items


async def _until_done(session: Session, ready: Plan, jobs: int, interrupted: asyncio.Event | None) -> bool:
    """Run the items; gives whether somebody interrupted it."""
    going = session.run(_in_order(ready, jobs), jobs, adapt=ready.jobs is None)
    work = asyncio.create_task(going, name="session")
    stop = asyncio.create_task((interrupted or asyncio.Event()).wait(), name="interrupt")
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            return True
        await work
        return False
    finally:
        stop.cancel()


def run_to_end(ready: Plan, on_event: OnEvent, beside: Beside | None = None) -> Result:
    """Run with an event loop of its own; Ctrl-C, SIGTERM and a closed terminal end it cleanly, and it says so."""

    async def main() -> Result:
        interrupted = asyncio.Event()
        loop = asyncio.get_running_loop()
        # One that is to go on when its terminal closes (nohup) was begun with that signal ignored. Of the others it means
        # nothing: a shell ignores Ctrl-C for whatever it begins in the background.
        hangs_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
        for sig in (signal.SIGINT, signal.SIGTERM, *hangs_up):
            loop.add_signal_handler(sig, interrupted.set)
        going = asyncio.ensure_future(beside(interrupted)) if beside else None
        try:
            return await run(ready, on_event, interrupted=interrupted)
        finally:
            if going is not None:
                going.cancel()

    import uvloop  # noqa: PLC0415  (saves a sixth of the CPU, and only a run needs it)

    machine.spare_long_collections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())
