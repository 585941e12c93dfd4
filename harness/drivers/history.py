"""The neutral change history of a cell: every change of settings, releases, scale and jobs, whoever made it."""

from harness.model.ports import Clock
from harness.model.values import Change


class ChangeHistory:
    """Revisions 1, 2, 3 ... of a cell."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changes: list[Change] = []

    def add(self, kind: str, target: str, what: str, old: str | None, new: str | None) -> Change:
        """Write a change down."""
        change = Change(len(self._changes) + 1, self._clock.now_s(), kind, target, what, old, new)
        self._changes.append(change)
        return change

    def newest(self, kind: str, target: str) -> Change | None:
        """The newest change of one kind to one target; None when there is none."""
        return next((c for c in reversed(self._changes) if c.kind == kind and c.target == target), None)

    def all(self) -> list[Change]:
        """Every change, oldest first."""
        return list(self._changes)

    def forget(self) -> None:
        """Begin anew."""
        self._changes.clear()
