"""The way of each event id: accepted, outbox, stream, processed, notification or DLQ, destination."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from harness.model.invariants import Facts, Row, Violation
from scenarios.facts import text


@dataclass
class Way:
    """What is on record of one event id."""

    event_id: str
    accepted: list[Row] = field(default_factory=list)
    outbox: Row | None = None
    match: Row | None = None
    messages: list[Row] = field(default_factory=list)
    terminated: bool = False
    processed: Row | None = None
    notifications: list[Row] = field(default_factory=list)
    dlq: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)

    @property
    def origin(self) -> bool:
        """Whether the system itself promised it; ids that only a fault or a probe made have none."""
        return self.outbox is not None or self.match is not None

    @property
    def sends(self) -> list[Row]:
        """Its sends that the destination took on, under whichever notification id, by their arrival."""
        return sorted((d for d in self.deliveries if d["status"] != 401), key=lambda d: float(d["arrived_at"]))

    def pairs(self) -> Iterator[tuple[Row, Row]]:
        """Every two sends of it, the earlier one first."""
        return combinations(self.sends, 2)

    @staticmethod
    def overlap(first: Row, second: Row) -> bool:
        """Whether the caller of the first was still waiting when the second arrived."""
        until = first["ended_at"] if first["caller_there"] else first["left_at"]
        return until is None or bool(second["arrived_at"] < until)

    @property
    def repeats(self) -> int:
        """Sends after another whose caller had gone, so that nobody knows what came of it."""
        return sum(first["caller_there"] is False for first, _ in self.pairs())

    def lacks(self) -> str | None:
        """What keeps it from having come to its end; None when it has, and for ids without an origin."""
        told = next(iter(self.notifications), None)
        if not self.origin or self.terminated or (self.outbox is not None and self.outbox["status"] == "FAILED"):
            return None
        if told is not None:
            return self._lacks_delivery(told)
        if self.processed is not None:
            return "processed, but there is no notification"
        if self.messages:
            return "in the stream, but never processed"
        if self.outbox is not None and self.outbox["status"] != "PUBLISHED":
            return f"left {self.outbox['status']} in the outbox"
        return "told to nobody: it is not in the stream" if self.match else "PUBLISHED, but it is not in the stream"

    def _lacks_delivery(self, told: Row) -> str | None:
        if told["status"] not in {"SENT", "FAILED"}:
            return f"its notification is left {told['status']}"
        own = [d for d in self.deliveries if d["notification_id"] == told["notification_id"]]
        if told["status"] == "SENT" and not any(d["status"] == 200 for d in own):
            return "its notification is SENT, but the destination never served it"
        return None

    def violation(self, says: str) -> Violation:
        """A breach with what is known of this id, in the order of its way."""
        lines = [f"accepted: {text(r, 'key', 'op', 'sent_s', 'status')}" for r in self.accepted]
        if self.outbox is not None:
            lines.append(f"outbox: {text(self.outbox, 'type', 'status', 'attempts', 'created', 'published', 'error')}")
        if self.match is not None:
            lines.append(f"match: {text(self.match, 'match_id', 'mode')}")
        lines += [f"stream: {text(r, 'stream', 'seq')}" for r in self.messages]
        if self.terminated:
            lines.append("stream: terminated, on record")
        if self.processed is not None:
            lines.append(f"processed: {text(self.processed, 'at')}")
        lines += [
            f"notification: {text(r, 'notification_id', 'status', 'attempts', 'created', 'sent')}"
            for r in self.notifications
        ]
        lines += [f"dlq: {text(r, 'notification_id', 'error', 'created')}" for r in self.dlq]
        lines += [
            f"destination: {text(r, 'notification_id', 'arrived_at', 'ended_at', 'status', 'caller_there', 'left_at')}"
            for r in sorted(self.deliveries, key=lambda d: float(d["arrived_at"]))
        ]
        return Violation(self.event_id, says, tuple(lines))


def ways(facts: Facts) -> dict[str, Way]:
    """The way of every event id that anything is on record of; raises Unreadable when a stage was not read."""
    found: dict[str, Way] = {}

    def way(event_id: str) -> Way:
        return found.setdefault(event_id, Way(event_id))

    asked = {r["key"]: r for r in facts.rows("requests")}
    accepted: dict[tuple[str, str], list[Row]] = {}
    for row in facts.rows("commands"):
        kind = "EntitlementGranted" if row["result"] == "ACTIVE" else "EntitlementRevoked"
        accepted.setdefault((row["aggregate"], kind), []).append(asked.get(row["key"], row))
    for row in facts.rows("outbox"):
        one = way(row["event_id"])
        one.outbox, one.accepted = row, accepted.get((row["aggregate"], row["type"]), [])
    for row in facts.rows("matches"):
        way(row["event_id"]).match = row
    ended = {(r["stream"], r["seq"]) for r in facts.rows("terminated")}
    for row in facts.rows("messages"):
        if row["event_id"] is not None:
            one = way(row["event_id"])
            one.messages.append(row)
            one.terminated = one.terminated or (row["stream"], row["seq"]) in ended
    for row in facts.rows("processed"):
        way(row["event_id"]).processed = row
    for row in facts.rows("notifications"):
        way(row["event_id"]).notifications.append(row)
    for row in facts.rows("dlq"):
        way(row["event_id"]).dlq.append(row)
    event_of = {r["notification_id"]: r["event_id"] for r in facts.rows("notifications")}
    for row in facts.rows("deliveries"):
        # A request that names no event is of its notification's; several that name neither are not one event.
        if event_id := row["event_id"] or event_of.get(row["notification_id"]):
            way(event_id).deliveries.append(row)
    return found


def stages(facts: Facts) -> dict[str, int]:
    """How many event ids stand at each stage; an id is counted at every stage that it has reached."""
    known = [w for w in ways(facts).values() if w.origin]
    return {
        "accepted": sum(bool(w.accepted) for w in known),
        "matched": sum(w.match is not None for w in known),
        "outbox": sum(w.outbox is not None for w in known),
        "outbox failed": sum(w.outbox is not None and w.outbox["status"] == "FAILED" for w in known),
        "stream": sum(bool(w.messages) for w in known),
        "terminated": sum(w.terminated for w in known),
        "processed": sum(w.processed is not None for w in known),
        "notification": sum(bool(w.notifications) for w in known),
        "dlq": sum(bool(w.dlq) for w in known),
        "destination": sum(any(d["status"] == 200 for d in w.deliveries) for w in known),
        "ended": sum(w.lacks() is None for w in known),
    }
