"""The values that the ports deal in: abilities, states, changes, answers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Ability(Enum):
    """What a runtime may be able to do to a part; each is optional."""

    STOP = "stop"
    FREEZE = "freeze"
    KILL = "kill"
    CONFIGURE = "configure"
    DEPLOY = "deploy"
    SCALE = "scale"
    CUT = "cut"
    JOBS = "jobs"


class PartStatus(Enum):
    """The state of a process or container, as the machine sees it."""

    RUNNING = "running"
    FROZEN = "frozen"
    STOPPED = "stopped"


@dataclass(frozen=True)
class PartState:
    """One part or one instance of a service.

    Attributes:
        name: its name in the topology; the second and later instances of a scaled service are `name#2` and so on.
        status: as the machine sees it.
        identity: pid and start time, or container id and start time; another value after every restart.
        release: the version that runs, or None for parts without releases.
        environment: what it was given at its last start, secrets included; never journalled unmasked.
    """

    name: str
    status: PartStatus
    identity: str
    release: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Change:
    """One entry of the neutral change history, whoever made it.

    Attributes:
        revision: 1, 2, 3 ... per cell.
        at_s: seconds since the run began.
        kind: `setting`, `release`, `scale` or `job`.
        target: the service or job.
        what: the setting's name, or empty.
        old: the value before; None when it was unset.
        new: the value after; None when it is unset.
    """

    revision: int
    at_s: float
    kind: str
    target: str
    what: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Pong:
    """What came of asking a server through a link on a connection that was opened before.

    Attributes:
        answered: whether an answer came in time.
        rtt_ms: how long it took; None without an answer.
        says: `answered`, `closed`, `silent` or `refused`, for people.
    """

    answered: bool
    rtt_ms: float | None
    says: str


@dataclass(frozen=True)
class Reply:
    """The answer to one request.

    Attributes:
        status: the HTTP status, or None without an answer.
        body: the raw bytes; empty without an answer.
        headers: lower-case names; the last of repeated ones.
        error: None, or `timeout`, `refused`, `reset`, `error` when no answer came.
        elapsed_s: from the send to the end of the answer.
    """

    status: int | None
    body: bytes
    headers: Mapping[str, str]
    error: str | None
    elapsed_s: float

    def json(self) -> Any:
        """The body as JSON, or None when it is none."""
        import json  # noqa: PLC0415  (rarely needed, and this module is imported everywhere)

        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def code(self) -> str | None:
        """The `code` of an error body, or None."""
        body = self.json() if self.body[:1] == b"{" else None
        return body.get("code") if isinstance(body, dict) else None


@dataclass(frozen=True)
class Running:
    """What a service itself says it runs with.

    Attributes:
        release: the shipped version whose module it names; None when it is none of them.
        settings: fingerprints by variable of the settings that it has read and that are set.
    """

    release: str | None
    settings: Mapping[str, str]


def fingerprint(value: str) -> str:
    """What tells a value from another without telling the value: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]
