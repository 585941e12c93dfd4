"""Showing what is fetched and built: a bar for each part on a terminal, plain lines elsewhere."""

import contextlib
import sys
from collections.abc import Iterator, Sequence

import rich.progress
from rich.console import Console

_STEPS = {
    "waiting for another run": 5,
    "fetching": 20,
    "fetching Go": 20,
    "unpacking": 50,
    "building": 65,
    "training": 85,
    "importing": 90,
}
"""How far a step is, in hundredths: the registries do not tell sizes ahead."""


class Progress:
    """Told what happens to each part; this one writes plain lines."""

    def say(self, name: str, what: str) -> None:
        """A part has come to a step."""
        print(f"{name}: {what}", file=sys.stderr, flush=True)  # noqa: T201  (this is the plain form of the bar)

    def done(self, name: str) -> None:
        """A part is there."""
        print(f"{name}: ready", file=sys.stderr, flush=True)  # noqa: T201  (as above)

    @staticmethod
    @contextlib.contextmanager
    def shown(names: Sequence[str]) -> Iterator["Progress"]:
        """Show the progress of these parts for as long as the context lasts."""
        if not sys.stderr.isatty():
            yield Progress()
            return
        columns = (
            rich.progress.TextColumn("{task.fields[name]:<10}"),
            rich.progress.BarColumn(bar_width=24),
            rich.progress.TextColumn("{task.description:<14}"),
            rich.progress.TimeElapsedColumn(),
        )
        with rich.progress.Progress(*columns, console=Console(stderr=True)) as shown:
            yield _Bars(shown, names)


class _Bars(Progress):
    def __init__(self, shown: rich.progress.Progress, names: Sequence[str]) -> None:
        self._shown = shown
        self._tasks = {name: shown.add_task("waiting", total=100, name=name) for name in names}

    def say(self, name: str, what: str) -> None:
        if name in self._tasks:
            self._shown.update(self._tasks[name], description=what, completed=_STEPS.get(what, 50))

    def done(self, name: str) -> None:
        if name in self._tasks:
            self._shown.update(self._tasks[name], description="ready", completed=100)
