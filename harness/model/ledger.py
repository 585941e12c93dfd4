"""The ledger: what the workloads sent, what was accepted, and what must follow."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sent:
    """One request of a workload.

    Attributes:
        op: what was asked, `<workload>.<operation>`.
        planned_s: when it was to be sent, in seconds since the run began; latency counts from here.
        sent_s: when it was sent.
        ended_s: when the answer was complete or the wait was given up.
        status: the HTTP status, or None without an answer.
        code: the error code of the answer, or None.
        error: None, or `timeout`, `refused`, `reset`, `error`.
        accepted: whether the system took it on, so that what must follow must follow.
        key: what follows is found by this (an idempotency key, a ticket id, a user id).
        data: anything else a probe wants to know of it.
    """

    op: str
    planned_s: float
    sent_s: float
    ended_s: float
    status: int | None
    code: str | None = None
    error: str | None = None
    accepted: bool = False
    key: str = ""
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def late_s(self) -> float:
        """How much later than planned it was sent."""
        return self.sent_s - self.planned_s

    @property
    def latency_s(self) -> float:
        """From the planned moment to the end."""
        return self.ended_s - self.planned_s


class Ledger:
    """The requests of a run in the order in which they ended."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._ended_s: list[float] = []

    def add(self, sent: Sent) -> None:
        """Enter one; requests are entered as they end, so the order is that of their ends."""
        # Two requests that end together may be entered in either order; the search below needs them sorted.
        ended_s = max(sent.ended_s, self._ended_s[-1]) if self._ended_s else sent.ended_s
        self._sent.append(sent)
        self._ended_s.append(ended_s)

    def clear(self) -> None:
        """Begin anew."""
        self._sent.clear()
        self._ended_s.clear()

    def __len__(self) -> int:
        return len(self._sent)

    def __iter__(self) -> Iterator[Sent]:
        return iter(self._sent)

    def since(self, start_s: float, *ops: str) -> list[Sent]:
        """The requests that ended at or after a moment; all operations when none is named."""
        return [s for s in self._sent[bisect_left(self._ended_s, start_s) :] if not ops or s.op in ops]

    def accepted(self, *ops: str, before_s: float = float("inf")) -> list[Sent]:
        """The accepted requests that ended before a moment."""
        return [s for s in self._sent if s.accepted and s.ended_s < before_s and (not ops or s.op in ops)]

    def ratio(
        self, start_s: float, ops: tuple[str, ...], good: Callable[[Sent], bool], *, minimum: int = 1
    ) -> float | None:
        """The share of good ones among the requests that ended since a moment; None below the minimum."""
        sent = self.since(start_s, *ops)
        return sum(good(s) for s in sent) / len(sent) if len(sent) >= minimum else None

    def late_s(self, start_s: float = 0.0, end_s: float = float("inf")) -> list[float]:
        """How late each of the requests planned in a stretch was sent, the latest last."""
        return sorted(s.late_s for s in self._sent if start_s <= s.planned_s < end_s)

    def lateness_s(self, q: float, start_s: float = 0.0, end_s: float = float("inf")) -> float | None:
        """A quantile of the send lateness of the requests planned in a stretch; None without any."""
        late = self.late_s(start_s, end_s)
        return late[min(len(late) - 1, int(q * len(late)))] if late else None
