"""The ports: a fault gets the Injector, a response the Operator, a probe the Observer, a workload the Client.

Names of parts, services, links, settings, releases and jobs are those of the topology file. Every verb raises ActFailed
when it did not take effect (after checking that it did) and AbilityMissing when the runtime cannot do it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from harness.model.ledger import Ledger
from harness.model.values import Change, PartState, Pong, Reply, Running


class Canary(Protocol):
    """A connection through a link, opened and proven before a fault, so that it stands for every pooled one."""

    async def ping(self, *, timeout_s: float = 1.0) -> Pong:
        """Ask the server on the existing connection; never raises for a dead one."""

    async def close(self) -> None:
        """Drop the connection."""


class Clock(Protocol):
    """Time, owned by one module; tests replace it by a virtual one."""

    def now_s(self) -> float:
        """Seconds since the run began, monotonic."""

    def wall(self) -> str:
        """The time of day in UTC, ISO 8601 with milliseconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def sleep_until(self, at_s: float) -> None:
        """Wait until `now_s` is `at_s`; returns at once when it is past."""


class Observer(Protocol):
    """Reading, and only reading. None or Unreadable says that a measurement could not be had."""

    @property
    def clock(self) -> Clock: ...

    @property
    def ledger(self) -> Ledger:
        """What the workloads sent, and what came of it."""

    async def sql(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a read-only query under the harness's own role, on a connection that no link fault touches."""

    async def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of somebody else's query, in a read-only transaction that is taken back; half a second at most."""

    async def http(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """A tagged request straight to a service, past its links; `body` goes as JSON."""

    async def stream(self, name: str) -> Mapping[str, int]:
        """A JetStream stream's `first_seq`, `last_seq`, `messages`."""

    async def messages(self, stream: str) -> list[tuple[int, Mapping[str, str], bytes]]:
        """What a stream holds: sequence, headers and payload of each message, oldest first."""

    async def consumer(self, stream: str, name: str) -> Mapping[str, int]:
        """A durable consumer's `ack_floor` (stream sequence), `pending`, `ack_pending`, `redelivered`, `delivered`."""

    async def redis(self, *command: str) -> Any:
        """A read-only Redis command, past the links."""

    def metric(self, service: str, name: str, labels: Mapping[str, str | Sequence[str]] | None = None) -> float | None:
        """The newest scraped value, summed over matching series and instances; None when it was not scraped."""

    def scraped_s(self, service: str) -> float | None:
        """When every instance of a service had last been scraped; None while one has not been."""

    def counter(self, service: str, name: str, labels: Mapping[str, str | Sequence[str]] | None = None) -> float | None:
        """The newest scraped value of counters, summed; 0 for series that have not come up yet, None without a scrape."""

    def buckets(
        self, service: str, name: str, labels: Mapping[str, str | Sequence[str]] | None = None
    ) -> Mapping[float, float] | None:
        """The newest scraped cumulative counts of a histogram by upper bound, summed; None without a scrape."""

    def increase(
        self, service: str, name: str, window_s: float, labels: Mapping[str, str | Sequence[str]] | None = None
    ) -> float | None:
        """By how much counters rose within the window, restarts accounted for; None without two scrapes."""

    def quantile_s(
        self,
        service: str,
        name: str,
        q: float,
        window_s: float,
        labels: Mapping[str, str | Sequence[str]] | None = None,
    ) -> float | None:
        """A quantile of a histogram's increase within the window, interpolated; None without any observation."""

    def log_count(self, service: str, text: str, window_s: float) -> float | None:
        """How many log lines of a service with this text came within the window; None when its log cannot be read."""

    async def canary(self, link: str) -> Canary:
        """Open a connection through a link and prove that it answers; raises Unreadable when it does not."""

    async def reach(self, link: str, *, timeout_s: float = 1.0) -> Pong:
        """Ask the server through a link on a new connection, as the link's client would see it."""

    async def states(self, name: str | None = None) -> list[PartState]:
        """The state of every part, or of every instance of one."""

    async def jobs(self) -> list[str]:
        """The jobs that run."""

    def changes(self) -> list[Change]:
        """The change history, oldest first."""

    def setting(self, service: str, name: str) -> str | None:
        """A setting as the service was given it at its last start; None when it was not set."""

    async def told(self, service: str) -> Running | None:
        """What a service says it runs with; None when the stack's services tell nothing of it, Unreadable without an answer."""


class Injector(Protocol):
    """What a fault can do. Nothing here is undone by itself, and nothing here is given to a response."""

    async def cut(self, link: str, *, black_hole: bool = False) -> None:
        """Refuse a link (established connections are closed), or swallow its data in both directions."""

    async def slow(
        self, link: str, *, latency_ms: float = 0, jitter_ms: float = 0, rate_kb_s: float | None = None
    ) -> None:
        """Delay answers of a link and limit its bandwidth in kilobytes a second."""

    async def slow_briefly(self, link: str, *, latency_ms: float, duration_s: float) -> None:
        """Delay answers of a link for a while; afterwards the link is as it was before."""

    async def reset(self, link: str, *, after_ms: int = 0) -> None:
        """Reset the link's connections `after_ms` after data flows."""

    async def stop(self, part: str) -> None:
        """End a part cleanly, without anybody starting it again."""

    async def kill(self, part: str) -> None:
        """End a part at once, without anybody starting it again."""

    async def freeze(self, part: str) -> None:
        """Let a part keep its connections and do nothing."""

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Give a service another value (None: unset) and restart it; written to the change history."""

    async def deploy(self, service: str, version: str) -> None:
        """Put another release in place and restart; written to the change history."""

    async def scale(self, service: str, instances: int) -> None:
        """Run this many instances; written to the change history."""

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        """Start a job of the stack; written to the change history."""

    async def sql(self, role: str, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement under a service's role, never a superuser's."""

    async def hold_locks(self, role: str, statements: Sequence[str], *, sessions: int = 1) -> None:
        """Open sessions that run the statements in a transaction and leave it open."""

    async def publish(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Publish a message."""

    async def delete_consumer(self, stream: str, consumer: str) -> None:
        """Remove a durable consumer of a stream."""

    async def redis(self, *command: str) -> Any:
        """Run a Redis command."""

    async def http(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """A request straight to a service; `body` goes as JSON."""

    async def load(self, service: str, path: str, *, rate_hz: float, duration_s: float) -> None:
        """Begin a bounded load of GET requests in the background."""


class Operator(Protocol):
    """What a person on call can do: exactly these verbs, for scenarios, trainees and programs alike."""

    async def restart(self, service: str) -> None:
        """Restart every instance of a service and wait until each answers, and for a while until it is ready.

        A frozen process ends too. One that is not ready in time is the system's trouble, and the operator's to see.
        """

    async def restore_route(self, link: str) -> None:
        """Set a route back to what the topology says."""

    async def set_setting(self, service: str, name: str, value: str | None) -> None:
        """Give a service another value and restart it."""

    async def rollback_setting(self, service: str) -> Change:
        """Take back the newest change of a setting of a service, and restart it; gives the change taken back."""

    async def deploy(self, service: str, version: str) -> None:
        """Put a shipped release in place and restart."""

    async def rollback_release(self, service: str) -> Change:
        """Go back to the release before the newest deployment; gives the change taken back."""

    async def scale(self, service: str, instances: int) -> None:
        """Run this many instances."""

    async def jobs(self) -> list[str]:
        """The jobs that run."""

    async def start_job(self, job: str, settings: Mapping[str, str] | None = None) -> None:
        """Start a job that the stack ships."""

    async def slow_job(self, job: str, rate_hz: float) -> None:
        """Let a job go on at another pace."""

    async def stop_job(self, job: str) -> None:
        """Stop a job."""

    async def run_tool(self, tool: str, *arguments: str) -> Mapping[str, Any]:
        """Run one of the stack's own repair tools to its end; gives what it reports."""

    async def sessions(self) -> list[Mapping[str, Any]]:
        """The database's sessions: pid, user, application, state, age_s, waiting_for, blocked_by, query."""

    async def end_session(self, pid: int) -> None:
        """End a database session."""

    async def redis_clients(self) -> list[Mapping[str, str]]:
        """The clients of Redis."""

    async def end_redis_client(self, client_id: str) -> None:
        """Disconnect a client of Redis."""

    async def sql(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL under on-call's limited role; one transaction."""

    async def redis(self, *command: str) -> Any:
        """Run a Redis command that on-call may use."""

    async def log_lines(self, name: str, text: str) -> list[str]:
        """The newest log lines of a part or service with this text, oldest first; at most 200."""

    def changes(self) -> list[Change]:
        """The change history, oldest first."""


class Browser(Protocol):
    """A client with cookies of its own for each party it talks to, which follows nothing by itself."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        timeout_s: float = 5.0,
    ) -> Reply:
        """One request; `url` is absolute or a path on the entry service. Cookies are kept by origin.

        A Secure cookie is sent on plain HTTP only to the origins that `trust_secure` named.
        """

    def trust_secure(self, url: str) -> None:
        """Send Secure cookies to this origin even over plain HTTP, as browsers do for loopback."""

    def cookies(self, url: str) -> Mapping[str, str]:
        """The cookies that would be sent to this address."""

    def forget(self, url: str) -> None:
        """Drop the cookies of this address's origin."""


class Client(Protocol):
    """What a workload can do: send requests into the system from outside, through the `client->...` links."""

    @property
    def clock(self) -> Clock: ...

    @property
    def ledger(self) -> Ledger: ...

    def address(self, service: str) -> str:
        """The base URL of a service as clients reach it, or of a part with an HTTP interface."""

    def browser(self, entry: str) -> Browser:
        """A new browser that enters the system at a service."""

    async def request(
        self,
        service: str,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout_s: float = 5.0,
    ) -> Reply:
        """One request to a service without cookies, over pooled connections; never raises for a failing system."""

    def secret(self, name: str) -> str:
        """A credential that the client side of the system rightly has, as the topology gives it."""
