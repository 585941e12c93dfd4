"""pytest: `pytest scenarios` runs the catalogue, one item a scenario and arm; a finding becomes the failure text.

The engine is called through a synchronous entry with an event loop of its own, so it needs no asyncio plugin and meets
none. Nothing is imported before a catalogue's module is met.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.arms import ARMS

if TYPE_CHECKING:
    from harness.fronts.pytest_run import CatalogueRun

PREFIX = "fm_"
_KEY = pytest.StashKey["CatalogueRun"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a run that make sense here."""
    group = parser.getgroup("gameday", "proving a runbook")
    group.addoption("--gameday-arm", default="timeline", help="arms, separated by commas, or all (default: timeline)")
    group.addoption("--gameday-runtime", default="auto", help="auto, process or docker")
    group.addoption("--gameday-profile", default="ci", help="ci or realistic")
    group.addoption("--gameday-seed", default=None, type=int, help="of the workloads")
    group.addoption("--gameday-variant", default="", help="a variant's name, or all")
    group.addoption("--gameday-stack", default=None, help="topology file")
    group.addoption("--gameday-reports", default="reports", help="where runs are kept")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Modules of a catalogue, when they hold a scenario."""
    if file_path.suffix == ".py" and file_path.name.startswith(PREFIX):
        try:
            if "SCENARIO" in file_path.read_text(encoding="utf-8", errors="replace"):
                return ScenarioFile.from_parent(parent, path=file_path)
        except OSError:
            return None
    return None


class ScenarioFile(pytest.File):
    """One module of a catalogue."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each variant and arm that was asked for."""
        run = _run_of(self.config, self.path.parent)
        asked = str(self.config.getoption("--gameday-arm"))
        arms = list(ARMS) if asked == "all" else [a.strip() for a in asked.split(",")]
        for label in run.labels_of(self.path):
            for arm in arms:
                yield ScenarioItem.from_parent(self, name=f"{label}[{arm}]", label=label, arm=arm)


class ScenarioItem(pytest.Item):
    """One scenario in one arm."""

    def __init__(self, *, label: str, arm: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._label = label
        self._arm = arm

    def runtest(self) -> None:
        """Run it; raises what its claim comes to."""
        from harness.fronts.pytest_run import NotProven  # noqa: PLC0415  (see above)

        claim, text = _run_of(self.config, self.path.parent).run(self._label, self._arm)
        if claim == "SKIPPED":
            pytest.skip(text)
        if claim != "PROVEN":
            raise NotProven(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The finding, not our stack."""
        from harness.fronts.pytest_run import NotProven  # noqa: PLC0415  (see above)
        from harness.model.errors import GamedayError  # noqa: PLC0415

        if isinstance(excinfo.value, NotProven | GamedayError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return self.path, 0, self.name


def _run_of(config: pytest.Config, package: Path) -> "CatalogueRun":
    run = config.stash.get(_KEY, None)
    if run is None:
        from harness.fronts.pytest_run import CatalogueRun  # noqa: PLC0415  (see above)
        from harness.model.errors import GamedayError  # noqa: PLC0415

        try:
            run = CatalogueRun(
                package,
                stack=config.getoption("--gameday-stack"),
                runtime=str(config.getoption("--gameday-runtime")),
                profile=str(config.getoption("--gameday-profile")),
                seed=config.getoption("--gameday-seed"),
                variant=str(config.getoption("--gameday-variant")),
                reports=Path(str(config.getoption("--gameday-reports"))),
            )
        except GamedayError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_KEY] = run
    return run


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    run = config.stash.get(_KEY, None)
    if run is not None:
        run.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the evidence is."""
    run = config.stash.get(_KEY, None)
    if run is not None and run.started:
        terminalreporter.write_line(f"gameday: evidence in {run.folder}")
