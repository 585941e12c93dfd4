"""The policy of a catalogue on one cell: its indicators and alerts with every length resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.model.alerts import Alert, resolved
from harness.model.slis import Measured, Quantile, Sample, Series, Sli, plain
from harness.model.span import Settings
from harness.slo import alerts as rules
from harness.slo.measure import between, measured


@dataclass(frozen=True)
class SloPolicy:
    """See model.alerts.Policy."""

    series: Mapping[str, Series]
    slis: Sequence[Sli]
    alerts: Sequence[Alert]

    def fires(self, alert: Alert, samples: Sequence[Sample]) -> bool | None:
        """Whether an alert fires at the last sample."""
        return rules.at(alert, samples, -1)

    def measure(self, samples: Sequence[Sample], since_s: float, until_s: float) -> list[Measured]:
        """What every indicator came to over a stretch."""
        stretch = between(samples, since_s, until_s)
        return [measured(sli, stretch) for sli in self.slis]


def policy_of(
    series: Mapping[str, Series], slis: Sequence[Sli], alerts: Sequence[Alert], settings: Settings
) -> SloPolicy:
    """The policy with the numbers of a cell; raises KeyError for a setting that the topology does not name."""
    return SloPolicy(
        {
            name: replace(one, window_s=plain(one.window_s, settings)) if isinstance(one, Quantile) else one
            for name, one in series.items()
        },
        [sli.resolve(settings) for sli in slis],
        [resolved(alert, settings) for alert in alerts],
    )
