"""The container engine: the only module that speaks to it, through the Docker SDK and testcontainers.

Every call is bounded, runs in a thread, and fails with one line that says what to do.
"""

import asyncio
import contextlib
import io
import os
import socket
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import EndpointConfig

from harness.drivers.turns import my_turn
from harness.model.errors import InfrastructureError

T = TypeVar("T")

ANSWER_S = 60
"""The engine answers within a second; building and importing images have bounds of their own."""

OLDEST_API = (1, 41)
"""Docker Engine 20.10."""

TROUBLE = (DockerException, requests.RequestException, OSError)


class EngineError(InfrastructureError):
    """The container engine is not there, does not answer, or refused what was asked."""


@dataclass(frozen=True)
class Wanted:
    """A container to make.

    Attributes:
        aliases: its names on the network.
        ports: published on 127.0.0.1, by port inside.
        files: contents by path inside, put there before it starts.
        writable: the same, for files that everybody inside may change; in a folder where everybody may make others.
        user: `uid:gid`, or None for the image's own.
    """

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    network: str = ""
    aliases: tuple[str, ...] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    writable: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    user: str | None = None
    stop_signal: str | None = None


class Engine:
    """One connection to an engine."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._version: dict[str, Any] = client.version()

    @classmethod
    def connect(cls) -> "Engine":
        """The engine of DOCKER_HOST or of the default socket; raises EngineError with what to do."""
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        try:
            _knock(host)
            client = docker.from_env(timeout=ANSWER_S, max_pool_size=64)
            made = cls(client)
        except TROUBLE as error:
            raise EngineError(_no_engine(host, error)) from None
        api = tuple(int(n) for n in str(made._version["ApiVersion"]).split("."))
        if api < OLDEST_API:
            raise EngineError(
                f"the engine at {host} speaks API {made._version['ApiVersion']}; Docker 20.10 (1.41) is the oldest that will do"
            )
        return made

    @property
    def version(self) -> str:
        """Of the engine."""
        return str(self._version.get("Version", "unknown"))

    @property
    def architecture(self) -> str:
        """Of the machine that the engine runs on."""
        return str(self._version.get("Arch", "unknown"))

    async def do(self, what: str, work: Callable[[docker.DockerClient], T]) -> T:
        """Call the engine in a thread; raises EngineError."""
        return await asyncio.to_thread(self.do_now, what, work)

    def do_now(self, what: str, work: Callable[[docker.DockerClient], T]) -> T:
        """The same, at once."""
        try:
            return work(self._client)
        except NotFound as error:
            raise EngineError(f"cannot {what}: {_explained(error)}") from None
        except APIError as error:
            raise EngineError(f"cannot {what}: {_explained(error)}") from None
        except TROUBLE as error:
            raise EngineError(
                f"cannot {what}: the container engine does not answer ({type(error).__name__}); is it still up?"
            ) from None

    # Containers ------------------------------------------------------------------------------------------------------

    async def run(self, wanted: Wanted) -> None:
        """Create a container, put its files in place, start it; one of the same name that is ours is replaced."""
        await self.do(f"start {wanted.name}", lambda client: _run(client, wanted))

    async def states(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The state of every container with these labels, by name: running, paused, exited, created."""
        return await self.do("list containers", lambda client: states_now(client, labels))

    async def act(self, name: str, verb: str, **arguments: Any) -> None:
        """`stop`, `kill`, `pause`, `unpause`, `start`, `restart` or `remove` a container."""

        def act(client: docker.DockerClient) -> None:
            container = client.containers.get(name)
            with my_turn("starting-containers") if verb == "start" else contextlib.nullcontext():
                getattr(container, verb)(**arguments)

        await self.do(f"{verb} {name}", act)

    async def narrow(self, name: str) -> None:
        """Leave a container one of the engine's cores; nothing where that cannot be done."""
        await self._let(name, lambda count: f"{count - 1}")

    async def widen(self, name: str) -> None:
        """Give a container all of the engine's cores."""
        await self._let(name, lambda count: f"0-{count - 1}")

    async def _let(self, name: str, cores: Callable[[int], str]) -> None:
        def let(client: docker.DockerClient) -> None:
            count = int(client.info().get("NCPU") or 1)
            if count > 1:
                client.containers.get(name).update(cpuset_cpus=cores(count))

        with contextlib.suppress(EngineError):  # an engine without rights over processors
            await self.do(f"set the cores of {name}", let)

    async def put(self, name: str, path: str, content: bytes) -> None:
        """Put a file into a container."""
        folder, _, file = path.rpartition("/")
        await self.do(
            f"write into {name}",
            lambda client: client.containers.get(name).put_archive(folder or "/", _tar({file: content})),
        )

    async def wait(self, name: str, timeout_s: float) -> tuple[int, str]:
        """The exit status of a container that ends, and its output; raises TimeoutError for one that does not in time."""

        def wait(client: docker.DockerClient) -> tuple[int, str] | None:
            container = client.containers.get(name)
            try:
                status = int(container.wait(timeout=timeout_s)["StatusCode"])
            except requests.RequestException:
                # The client's word for an engine that is silent, which it is while the container goes on.
                container.reload()
                if container.status == "running":
                    return None
                raise
            return status, container.logs().decode(errors="replace")

        if (ended := await self.do(f"wait for {name}", wait)) is None:
            raise TimeoutError(f"{name} did not end within {timeout_s:g} s")
        return ended

    def follow(self, name: str) -> Iterator[bytes]:
        """The output of a container since its last start, until it ends."""
        with contextlib.suppress(*TROUBLE):
            container = self._client.containers.get(name)
            started = datetime.fromisoformat(container.attrs["State"]["StartedAt"]).timestamp()
            stream = container.logs(stream=True, follow=True, since=started)
            try:
                yield from stream
            finally:
                # The SDK leaves the stream's socket to the garbage collector.
                stream.close()

    # Networks --------------------------------------------------------------------------------------------------------

    async def network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make a network of its own."""
        await self.do(
            f"make the network {name}",
            lambda client: client.networks.create(name, driver="bridge", labels=dict(labels)),
        )

    async def join(self, network: str, container: str, aliases: Sequence[str]) -> None:
        """Attach a container to one more network."""
        await self.do(
            f"attach {container} to {network}",
            lambda client: client.networks.get(network).connect(container, aliases=list(aliases)),
        )

    async def clear(self, labels: Mapping[str, str]) -> list[str]:
        """Remove every container and network with these labels; gives their names."""
        return await self.do("clean up", lambda client: clear_now(client, labels))

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(*TROUBLE):
            self._client.close()


def _run(client: docker.DockerClient, wanted: Wanted) -> None:
    from testcontainers.core.config import testcontainers_config  # noqa: PLC0415  (slow to import, only runs need it)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    # Its reaper would need an image that cannot be had everywhere; what is left behind we find by label ourselves.
    testcontainers_config.ryuk_disabled = True
    with contextlib.suppress(NotFound):
        client.containers.get(wanted.name).remove(force=True, v=True)
    more: dict[str, Any] = {"labels": dict(wanted.labels), "init": True}
    if wanted.network:
        endpoint = EndpointConfig(client.api.api_version, aliases=list(wanted.aliases))
        more |= {"network": wanted.network, "networking_config": {wanted.network: endpoint}}
    for key, value in (("entrypoint", wanted.entrypoint), ("user", wanted.user), ("stop_signal", wanted.stop_signal)):
        if value is not None:
            more[key] = list(value) if isinstance(value, tuple) else value
    made = DockerContainer(wanted.image, env=dict(wanted.environment), name=wanted.name).with_kwargs(**more)
    made._command = list(wanted.command)  # noqa: SLF001  (its constructor takes a text alone, which a shell would split)
    published: dict[str, Any] = made.ports  # the SDK below takes an address with the port, which its type does not say
    for inside, outside in wanted.ports.items():
        published[f"{inside}/tcp"] = ("127.0.0.1", outside)
    for path, content in wanted.files.items():
        made.with_copy_into_container(content, path, 0o644)
    for path, content in wanted.writable.items():
        made.with_copy_into_container(content, path, 0o666)
    try:
        # Starting one takes a third of a second of a core or more, in a dozen processes: of several at once all else is late.
        with my_turn("starting-containers"):
            made.start()
    finally:
        # Every container of theirs opens a connection of its own and leaves it to the garbage collector.
        made.get_docker_client().client.close()


def state_now(client: docker.DockerClient, name: str) -> str | None:
    """The state of one container; None when there is none."""
    try:
        return str(client.api.inspect_container(name)["State"]["Status"])
    except NotFound:
        return None


def states_now(client: docker.DockerClient, labels: Mapping[str, str]) -> dict[str, str]:
    """See Engine.states."""
    found = client.api.containers(all=True, filters={"label": [f"{k}={v}" for k, v in labels.items()]})
    return {c["Names"][0].lstrip("/"): str(c["State"]) for c in found}


def clear_now(client: docker.DockerClient, labels: Mapping[str, str]) -> list[str]:
    """See Engine.clear."""
    wanted: dict[str, Any] = {"label": [f"{k}={v}" if v else k for k, v in labels.items()]}
    gone = []
    for container in client.containers.list(all=True, filters=wanted, ignore_removed=True):
        with contextlib.suppress(NotFound, APIError):
            container.remove(force=True, v=True)
            gone.append(f"container {container.name}")
    for network in client.networks.list(filters=wanted):
        with contextlib.suppress(NotFound, APIError):
            network.remove()
            gone.append(f"network {network.name}")
    return gone


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _knock(host: str) -> None:
    """Raise OSError when nobody listens on a socket file; the SDK would leave its own socket open then."""
    scheme, _, path = host.partition("://")
    if scheme == "unix":
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as knocking:
            knocking.settimeout(ANSWER_S)
            knocking.connect(path)


def _no_engine(host: str, error: Exception) -> str:
    text = str(error)
    if "Permission denied" in text or isinstance(error, PermissionError):
        return f"no permission on the container engine at {host}; join its group or use --runtime process"
    if "No such file" in text or "refused" in text.lower():
        return f"no container engine answers at {host}; start one, set DOCKER_HOST, or use --runtime process"
    return f"the container engine at {host} cannot be used: {' '.join(text.split())[:200]}"


def _explained(error: APIError) -> str:
    text = " ".join(str(error.explanation or error).split())[:300]
    lower = text.lower()
    if "no space left" in lower:
        return f"no space left on the engine's disk: {text}; free some (docker system df)"
    if "already allocated" in lower or "address already in use" in lower:
        return f"a port is taken: {text}; end what listens there"
    if isinstance(error, ImageNotFound):
        return f"the image is not there: {text}; run gameday images build"
    if "exec format" in lower or "does not match the" in lower:
        return f"an image of another architecture: {text}; run gameday images build --force"
    return text
