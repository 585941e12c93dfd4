"""What the desk shows of alerts and indicators: sampled from the first look on, or by whoever runs a drill."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from harness.engine.alerting import Alerting
from harness.engine.watch import Watch
from harness.model.alerts import Policy
from harness.model.events import AlertFired, Event
from harness.model.probes import Probe
from harness.model.runtime import Equipment
from harness.model.scenario import Catalogue
from harness.model.slis import Sample


class Sight(Protocol):
    """Where alerts and samples come from."""

    @property
    def policy(self) -> Policy | None: ...

    @property
    def samples(self) -> Sequence[Sample]: ...

    @property
    def fired(self) -> Sequence[AlertFired]: ...

    async def look(self) -> None:
        """Begin to sample, when nobody did yet."""


def wanted_by_checks(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """The metrics that the checks of every section need, by service."""
    return _wanted(p for section in catalogue.sections.values() for check in section.checks for p in check.probes)


def wanted_by_drills(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """Those and all that any scenario measures: the same whatever is broken, and what the witness of a second factor reads."""
    whole = [v for s in catalogue.scenarios.values() for v in s.forms]
    return together(wanted_by_checks(catalogue), _wanted(p for s in whole for p in s.probes))


def _wanted(probes: Iterable[Probe]) -> dict[str, frozenset[str]]:
    wanted: dict[str, set[str]] = {}
    for probe in probes:
        for service, metric in probe.metrics:
            wanted.setdefault(service, set()).add(metric)
    return {service: frozenset(names) for service, names in wanted.items()}


def together(*wanted: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Several wishes for metrics as one."""
    return {s: frozenset().union(*(w.get(s, frozenset()) for w in wanted)) for w in wanted for s in w}


class OwnSight:
    """Samples of a stack that nobody else watches."""

    def __init__(self, equipment: Equipment, catalogue: Catalogue, policy: Policy | None) -> None:
        self.policy = policy
        self.fired: list[AlertFired] = []
        self._alerting = Alerting(equipment, policy, self._emit, "")
        wanted = together(self._alerting.wanted, wanted_by_checks(catalogue))
        self._watch = Watch(equipment, (), lambda _event: None, "", also=wanted)
        self._begun = False

    @property
    def samples(self) -> Sequence[Sample]:
        """Every sample so far."""
        return self._alerting.samples

    def _emit(self, event: Event) -> None:
        if isinstance(event, AlertFired):
            self.fired.append(event)

    async def look(self) -> None:
        """Begin, once; the first look has a sample already."""
        if not self._begun:
            self._begun = True
            await self._watch.begin()
            await self._watch.scrape()
            await self._alerting.begin(self._watch.scrape)
