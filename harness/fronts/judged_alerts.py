"""What a recorded run told of alerts, times and indicators, set beside what follows from its samples now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.engine.alerting import fired_again, stretches, times
from harness.model.alerts import fed_by
from harness.model.events import AlertFired, Event, SamplesTaken
from harness.model.samples import unpacked
from harness.model.slis import Measured, Sample
from harness.report.record import ScenarioRecord
from harness.slo.policy import SloPolicy

QUIET = "quiet"


@dataclass
class Line:
    """One thing judged again; `then` and `now` are verdicts, None when there is none."""

    what: str
    then: str | None
    now: str | None
    says: str = ""

    @property
    def differs(self) -> bool:
        """Whether it came out otherwise; what was not judged then, or cannot be now, is no difference of the system."""
        return self.then is not None and self.now is not None and self.then != self.now


def alerts(record: ScenarioRecord, events: Sequence[Event], policy: SloPolicy) -> Iterator[Line]:
    """Alerts, detection and indicators: told, and part of no claim."""
    taken = next((e for e in reversed(events) if isinstance(e, SamplesTaken)), None)
    if taken is None:
        if policy.alerts:
            yield Line("alerts", None, None, "no samples are on record")
        return
    try:
        samples = unpacked(taken.samples)
    except ValueError as error:
        yield Line("alerts", None, None, str(error))
        return
    found = fired_again(policy, samples, taken)
    then, now = ({e.name: _fired(e) for e in told} for told in (record.alerts, found))
    for alert in policy.alerts:
        if lacking := set(fed_by(alert)) - {n for s in samples[:1] for n in (*s.values, *s.delays)}:
            yield Line(f"alert {alert.name}", None, None, f"not on record: {', '.join(sorted(lacking))}")
        elif alert.name in {**then, **now}:
            yield Line(f"alert {alert.name}", then.get(alert.name, QUIET), now.get(alert.name, QUIET))
    for name in sorted(then.keys() - {alert.name for alert in policy.alerts}):
        yield Line(f"alert {name}", then[name], None, "not in the policy now")
    claimed = record.claim
    for what, was, is_ in zip(
        ("ttd_s", "ttr_s"),
        (claimed.ttd_s, claimed.ttr_s) if claimed else (None, None),
        times(found, taken.injected_s, taken.recovered_s),
        strict=True,
    ):
        yield Line(what, _seconds(was), _seconds(is_))
    known = {(e.name, e.stretch): e.verdict for e in record.slis}
    # An indicator that is broken while nobody responded is nothing to tell of again; one that comes out otherwise is.
    for m, stretch in _measured(policy, samples, taken):
        line = Line(f"{m.sli.name}, {stretch}", known.get((m.sli.name, stretch)), m.verdict)
        if line.differs:
            yield line


def _measured(policy: SloPolicy, samples: Sequence[Sample], taken: SamplesTaken) -> Iterator[tuple[Measured, str]]:
    if len(samples) < 2:
        return
    ends = stretches(taken.steady_s, taken.injected_s, taken.responded_s, samples[-1].at_s)
    for stretch, since_s, until_s in ends:
        yield from ((m, stretch) for m in policy.measure(samples, since_s, until_s))


def _fired(alert: AlertFired) -> str:
    return "noise" if alert.noise else "late" if alert.late else "fired"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
