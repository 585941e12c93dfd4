"""A run of the catalogue that pytest leads item by item, on an event loop of its own."""

import asyncio
import contextlib
import warnings
from pathlib import Path

from harness.drivers.clock import SystemClock
from harness.engine import plan
from harness.engine.session import Lane
from harness.fronts import reports
from harness.fronts.wiring import Options, make_runtime, prepare, session_of
from harness.model.arms import ARMS
from harness.model.errors import InfrastructureError, UsageError
from harness.model.events import Event, Noted, RunFinished, RunStarted
from harness.model.runtime import Runtime
from harness.report.journal import Journal
from harness.report.record import Recorder


class NotProven(Exception):  # noqa: N818  (a verdict, not a failure of ours)
    """A scenario that was not proven; its text is what fell short and where the evidence is."""


class CatalogueRun:
    """The items of one pytest session.

    Attributes:
        started: whether anything was run.
    """

    def __init__(
        self,
        package: Path,
        *,
        stack: str | None,
        runtime: str,
        profile: str,
        seed: int | None,
        variant: str,
        reports: Path,
    ) -> None:
        options = Options(
            catalogue=_module_name(package),
            stack=stack,
            runtime=runtime,
            profile=profile,
            seed=seed,
            variant=variant,
            reports=reports,
        )
        self._plan = prepare(options)
        self.folder = self._plan.folder
        self.started = False
        self._loop = asyncio.Runner()
        self._runtime: Runtime | None = None
        self._lane = Lane(1)
        self._recorder = Recorder(keep_sweeps=False)
        self._clock = SystemClock()

    def labels_of(self, module: Path) -> list[str]:
        """The labels of a module's scenario, and of its variants when they were asked for."""
        return [i.label for i in self._plan.items if Path(i.scenario.module).resolve() == module.resolve()]

    def run(self, label: str, arm: str) -> tuple[str, str]:
        """Run one; gives its claim, and what fell short with the paths of journal and logs."""
        if arm not in ARMS:
            raise UsageError(f"there is no arm {arm}; there are {', '.join(ARMS)}")
        if not self.started:
            self._loop.run(self._open())
        scenario = next(i.scenario for i in self._plan.items if i.label == label)
        item = plan.items([scenario], ARMS[arm], self._plan.seed)[0]
        assert self._runtime is not None  # noqa: S101  (opened above)
        reason = plan.skipped(item, self._runtime.abilities, self._runtime.name)
        if reason is not None:
            return "SKIPPED", reason
        outcome = self._loop.run(self._session.run_one(self._lane, item))
        findings = "\n".join(f"{f.value} in {phase.value}: {says}" for f, phase, says in outcome.findings)
        claim = self._session.claims[label].value
        return claim, f"{label} {claim}\n{findings}\njournal: {self._journal.path}\nlogs: {self.folder / 'logs'}"

    async def _open(self) -> None:
        options = self._plan.options
        self._journal = Journal(self.folder, self._plan.topology.secrets.values())
        self._runtime, why = make_runtime(options.runtime, self._plan.topology, self.folder / "logs")
        self.started = True
        await self._runtime.open()
        self._session = session_of(self._plan, self._runtime, self._clock, self._emit)
        labels = [item.label for item in self._plan.items]
        self._emit(
            RunStarted(
                self._clock.now_s(), None, self._plan.run_id, self._clock.wall(), self._plan.seed, self._runtime.name,
                options.profile, options.arm, labels, dict(self._runtime.versions),
            )
        )  # fmt: skip
        for note in (why, *self._plan.notes):
            self._emit(Noted(self._clock.now_s(), None, note))

    def _emit(self, event: Event) -> None:
        self._recorder.add(self._journal.write(event))

    def close(self) -> None:
        """End the cell and the runtime, and write the reports."""
        if self.started:
            with contextlib.suppress(InfrastructureError):
                self._loop.run(self._close())
            self._emit(RunFinished(self._clock.now_s(), None, self._clock.wall()))
            self._journal.close()
            for trouble in (
                *reports.write(self._recorder.run, self.folder), *reports.remember(self._recorder.run, self.folder)
            ):  # fmt: skip
                warnings.warn(trouble, stacklevel=1)
            reports.point_latest(self.folder)
        self._loop.close()

    async def _close(self) -> None:
        try:
            await self._session.let_go(self._lane)
        finally:
            if self._runtime is not None:
                await self._runtime.close()


def _module_name(package: Path) -> str:
    """The dotted name of a package folder, up to the first folder that is none."""
    names = [package.name]
    for parent in package.resolve().parents:
        if not (parent / "__init__.py").exists():
            break
        names.insert(0, parent.name)
    return ".".join(names)
