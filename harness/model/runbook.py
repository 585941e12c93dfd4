"""The runbook as the engine and the catalogue know it: bullets by key, what executes each, and the queries to sample."""

from dataclasses import dataclass

from harness.model.probes import Probe


@dataclass(frozen=True)
class Bullet:
    """What executes one bullet of the runbook.

    A bullet that a section's check of the same key executes needs none of these.

    Attributes:
        key: `<section>/<part>/<number>`.
        probes: names of measurements that criteria judge.
        steps: steps of responses, `<id of the scenario>:<name of the function>`.
        events: kinds of events that judge it in every run, `rule` or `completion` for example.
    """

    key: str
    probes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What executes it, for people."""
        return (*self.probes, *self.steps, *(f"every run's {e}" for e in self.events))


def measured(key: str, *probes: Probe | str) -> Bullet:
    """A bullet that probes in criteria measure; a probe that belongs to one scenario alone is given by its name."""
    return Bullet(key, probes=tuple(p if isinstance(p, str) else p.name for p in probes))


def done(key: str, *steps: str) -> Bullet:
    """A bullet that steps of responses carry out, `<id>:<function>`."""
    return Bullet(key, steps=steps)


def judged(key: str, *events: str) -> Bullet:
    """A bullet that every run judges and tells as events of these kinds."""
    return Bullet(key, events=events)


@dataclass(frozen=True)
class Query:
    """A query of a runbook that can be sampled.

    Attributes:
        key: `<section>/sql/<number>`.
        digest: of its text, so that samples of another text under the same key are told apart.
        text: as it stands.
        scaled: with its intervals scaled to the profile; None when that changes nothing.
    """

    key: str
    digest: str
    text: str
    scaled: str | None = None
