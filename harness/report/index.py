"""A journal read for people: the run at a glance, and its scenarios one at a time with every sample, secrets masked.

Sweeps are most of a journal. The first reading leaves them on disk and remembers where each scenario's lines are.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from harness.model import events as ev
from harness.model.errors import InfrastructureError, UsageError
from harness.report.journal import UNSEEN
from harness.report.lang import Messages
from harness.report.masking import masked_all
from harness.report.record import Recorder, RunRecord, ScenarioRecord
from harness.report.translated import translated

_SWEEP = re.compile(rb'\{"v":\d+,"kind":"sweep","t":[\d.e-]+,"scenario":"([\w.:-]+)"')
"""How a sweep's line begins; one that begins otherwise is read like every other event."""


class Index:
    """A journal on disk.

    Attributes:
        run: the run without sweeps.
        lost: lines that are no events of a kind and form that is known here: cut off, of another version, or rubbish.
        left_out: scenarios of the run that nobody asked for; `only` names those that are wanted, none means all.

    Raises:
        InfrastructureError: there is no journal that can be read.
        UsageError: a wanted scenario is not in it.
    """

    def __init__(self, path: Path, messages: Messages | None = None, only: Collection[str] = ()) -> None:
        self.path = path
        self.left_out = 0
        self._messages = messages or Messages()
        self.lost = 0
        self._places: dict[int, list[int]] = {}
        recorder = Recorder(keep_sweeps=False)
        self.run: RunRecord = recorder.run
        try:
            with path.open("rb") as opened:
                place = 0
                for line in opened:
                    # Sweeps are most of a journal, and only their place is wanted now.
                    swept = _SWEEP.match(line)
                    if swept and line.endswith(b"}\n") and (record := self.run.of(swept[1].decode())) is not None:
                        self._places.setdefault(id(record), []).append(place)
                        place += len(line)
                        continue
                    event = _event(line)
                    if event is None:
                        self.lost += bool(line.strip())
                    else:
                        if isinstance(event, ev.RunAgain):
                            self._places.pop(id(self.run.of(event.scenario or "")), None)
                        recorder.add(translated(event, self._messages))
                        if event.scenario is not None:
                            record = self.run.of(event.scenario)
                            self._places.setdefault(id(record), []).append(place)
                    place += len(line)
        except OSError as error:
            raise InfrastructureError(f"{path} cannot be read: {error.strerror}") from None
        if only:
            self._keep(only)

    def _keep(self, only: Collection[str]) -> None:
        """Leave out every scenario that is not named, by label or by id."""
        have = self.run.scenarios
        unknown = [name for name in only if not any(name in (s.label, s.id) for s in have)]
        if unknown:
            known = ", ".join(s.label for s in have) or "none"
            raise UsageError(f"{self.path.parent} has no scenario {', '.join(unknown)}; it has {known}")
        self.run.scenarios = [s for s in have if s.label in only or s.id in only]
        self.left_out = len(have) - len(self.run.scenarios)

    def whole(self, light: ScenarioRecord) -> ScenarioRecord:
        """One of the run's scenarios with its sweeps."""
        recorder = Recorder()
        try:
            with self.path.open("rb") as opened:
                for place in self._places.get(id(light), ()):
                    opened.seek(place)
                    event = _event(opened.readline())
                    if event is not None:
                        recorder.add(translated(event, self._messages))
        except OSError as error:
            raise InfrastructureError(f"{self.path} cannot be read: {error.strerror}") from None
        if not recorder.run.scenarios:
            return light
        return replace(recorder.run.scenarios[-1], shard=light.shard)

    def scenarios(self) -> Iterator[ScenarioRecord]:
        """Every scenario in its order with its sweeps, one at a time."""
        for light in self.run.scenarios:
            yield self.whole(light)


def _event(line: bytes) -> ev.Event | None:
    """The event of a line, None when it is none; secrets are masked."""
    try:
        data = json.loads(line)
        return ev.from_mapping(data if data.get("kind") in UNSEEN else masked_all(data))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
