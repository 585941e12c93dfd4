"""Telling the journal what happens in one scenario run: phases, checks and findings."""

from collections.abc import Callable, Sequence

from harness.engine.outcome import Outcome
from harness.engine.watch import Watch
from harness.model.events import Checked, Event, EvidenceSaved, Finding, Found, Phase, PhaseEnded, PhaseStarted
from harness.model.ports import Clock
from harness.model.runtime import Equipment
from harness.model.scenario import Scenario, Section

RECOVERY = "recovery"
"""The key of the look at the recovery criteria, where no section of the runbook says what to look at."""


class Narrator:
    """What a scenario run says as it goes on.

    Attributes:
        scenario: with every length as a plain number.
        outcome: what it has come to so far.
    """

    scenario: Scenario
    outcome: Outcome
    _clock: Clock
    _emit: Callable[[Event], None]
    _sections: Sequence[Section]
    _watch: Watch
    _eq: Equipment

    def _check(self) -> None:
        """Save the evidence of this moment, and look at the sections' checks; without a section at what recovery asks."""
        sweep = self._watch.sweeps[-1] if self._watch.sweeps else None
        changes = [f"{c.kind} {c.target} {c.what}".rstrip() for c in self._eq.observer.changes()]
        logs = str(self._eq.cell.spec.folder)
        self._emit(EvidenceSaved(self._now(), self.scenario.label, sweep.at_s if sweep else None, changes, logs))
        if sweep is None:
            return
        looks = [(c.key, c.title, c.probes) for section in self._sections for c in section.checks]
        for key, title, probes in looks or [
            (RECOVERY, "what the recovery criteria ask", self.scenario.recovery.probes)
        ]:
            values = {p.name: sweep.values.get(p.name) for p in probes}
            self._emit(Checked(self._now(), self.scenario.label, key, title, values))

    def _find(self, finding: Finding, phase: Phase, says: str) -> None:
        self.outcome.findings.append((finding, phase, says))
        self._emit(Found(self._now(), self.scenario.label, finding.value, phase.value, says))

    def _start(self, phase: Phase) -> float:
        self._emit(PhaseStarted(self._now(), self.scenario.label, phase.value))
        return self._now()

    def _end(self, phase: Phase, started_s: float, verdict: str, says: str = "") -> None:
        self._emit(PhaseEnded(self._now(), self.scenario.label, phase.value, started_s, verdict, says))

    def _now(self) -> float:
        return self._clock.now_s()
