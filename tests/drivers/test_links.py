"""Each fault of a link, on a bare TCP echo through the real Toxiproxy: on connections that are open, and on new ones."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.drivers import parts, process_parts
from harness.drivers.clock import wait_until
from harness.drivers.ports_alloc import reserve
from harness.drivers.spawner import Process, Spawner
from harness.drivers.toxiproxy import ToxiproxyLinks
from harness.model.errors import ActFailed
from harness.model.runtime import Address
from harness.model.topology import parse
from tests.fakes.world import TOPOLOGY

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINK = "front->store"


class Echo:
    """A cell of one link to an echo server."""

    name = "echo"

    def __init__(self, spawner: Spawner, api: Address, listen: Address, upstream: Address, log: Path) -> None:
        self.topology = parse(TOPOLOGY, "/nowhere")
        self._spawner, self._api, self._listen, self._upstream, self._log = spawner, api, listen, upstream, log
        self.process: Process | None = None

    def proxy_api(self) -> Address:
        return self._api

    def upstream(self, link: str) -> str:
        return str(self._upstream)

    def proxy_listen(self, link: str) -> str:
        return str(self._listen)

    async def start(self, name: str) -> None:
        command = process_parts.toxiproxy(parts.ensure("toxiproxy"), self._api)
        self.process = await self._spawner.spawn(argv=command.argv, log=self._log)

    async def kill(self, name: str) -> None:
        assert self.process is not None
        await self._spawner.kill(self.process)

    async def ready(self, names: Any = None, *, timeout_s: float = 10) -> None:
        async def there() -> bool:
            try:
                _, writer = await asyncio.open_connection(self._api.host, self._api.port)
            except OSError:
                return False
            writer.close()
            return True

        await wait_until(there, what="toxiproxy", timeout_s=timeout_s)

    async def connect(self) -> "Wire":
        return Wire(*await asyncio.open_connection(self._listen.host, self._listen.port))


class Wire:
    """One connection through the link."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def says(self, timeout_s: float = 1.0) -> str:
        """What comes of a question: echoed, silent, closed or reset."""
        try:
            async with asyncio.timeout(timeout_s):
                self._writer.write(b"hello\n")
                await self._writer.drain()
                return "echoed" if await self._reader.readline() == b"hello\n" else "closed"
        except TimeoutError:
            return "silent"
        except ConnectionError:
            return "reset"

    def close(self) -> None:
        self._writer.transport.abort()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(tmp_path_factory: Any) -> AsyncIterator[Echo]:
    folder = Path(tmp_path_factory.mktemp("echo"))
    block = reserve(folder / "ports")
    api, listen, upstream = (Address("127.0.0.1", p) for p in block.take(3))
    spawner = Spawner()
    await spawner.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()

    server = await asyncio.start_server(serve, upstream.host, upstream.port)
    cell = Echo(spawner, api, listen, upstream, folder / "toxiproxy.log")
    await cell.start("toxiproxy")
    await cell.ready()
    yield cell
    server.close()
    await spawner.close()
    block.close()


@pytest_asyncio.fixture(loop_scope="module")
async def links(echo: Echo) -> AsyncIterator[ToxiproxyLinks]:
    made = ToxiproxyLinks(echo)  # type: ignore[arg-type]
    await made.heal(LINK)
    yield made
    await made.heal(LINK)


async def test_a_healthy_link_echoes(echo: Echo, links: ToxiproxyLinks) -> None:
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    state = (await links.states())[LINK]
    assert (state.enabled, state.toxics) == (True, ())
    wire.close()


async def test_refused_closes_what_is_open_and_refuses_what_is_new(echo: Echo, links: ToxiproxyLinks) -> None:
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    await links.cut(LINK, black_hole=False)
    assert await wire.says() in {"closed", "reset"}
    with pytest.raises(ConnectionRefusedError):
        await echo.connect()
    wire.close()


async def test_a_black_hole_swallows_on_what_is_open_and_on_what_is_new(echo: Echo, links: ToxiproxyLinks) -> None:
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    await links.cut(LINK, black_hole=True)
    assert await wire.says(0.4) == "silent"
    new = await echo.connect()
    assert await new.says(0.4) == "silent"
    await links.heal(LINK)
    assert await wire.says() in {"closed", "reset"}
    healed = await echo.connect()
    assert await healed.says() == "echoed"
    for each in (wire, new, healed):
        each.close()


async def test_slow_delays_what_is_open_and_what_is_new(echo: Echo, links: ToxiproxyLinks) -> None:
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    await links.slow(LINK, latency_ms=300, jitter_ms=50, rate_kb_s=None)
    for each in (wire, await echo.connect()):
        began = time.perf_counter()
        assert await each.says(2) == "echoed"
        assert time.perf_counter() - began >= 0.24
        each.close()


async def test_a_limited_bandwidth_is_a_toxic_of_its_own(links: ToxiproxyLinks) -> None:
    await links.slow(LINK, latency_ms=10, jitter_ms=0, rate_kb_s=5)
    assert set((await links.states())[LINK].toxics) == {"latency_downstream", "bandwidth_downstream"}


async def test_reset_resets_once_data_flows(echo: Echo, links: ToxiproxyLinks) -> None:
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    await links.reset(LINK, after_ms=0)
    assert await wire.says() in {"closed", "reset"}
    new = await echo.connect()
    assert await new.says() in {"closed", "reset"}
    wire.close()
    new.close()


async def test_healing_while_delayed_data_is_under_way_does_not_hang(echo: Echo, links: ToxiproxyLinks) -> None:
    for _ in range(5):
        wires = [await echo.connect() for _ in range(20)]
        await links.slow(LINK, latency_ms=400, jitter_ms=100, rate_kb_s=None)
        said = [asyncio.create_task(w.says(0.1)) for w in wires]
        await asyncio.wait(said)
        await links.heal(LINK)
        for wire in wires:
            wire.close()
        healed = await echo.connect()
        assert await healed.says() == "echoed"
        healed.close()


async def test_a_toxiproxy_that_hangs_is_an_error_in_time_and_is_replaced(echo: Echo, links: ToxiproxyLinks) -> None:
    assert echo.process is not None
    await echo._spawner.send(echo.process, signal.SIGSTOP)
    with pytest.raises(ActFailed, match="cannot look at the proxies: Toxiproxy at"):
        await links.states()
    await links.replace()
    assert (await links.states())[LINK].enabled


async def test_a_link_that_there_is_not_is_named(links: ToxiproxyLinks) -> None:
    with pytest.raises(Exception, match="there is no link a->b"):
        await links.cut("a->b", black_hole=False)


async def test_a_proxy_that_is_gone_is_named_and_can_be_healed(echo: Echo, links: ToxiproxyLinks) -> None:
    await links._do("remove it", lambda server: server.get_proxy(LINK).destroy())
    with pytest.raises(ActFailed, match="has no proxy front->store"):
        await links.states()
    await links.heal(LINK)
    wire = await echo.connect()
    assert await wire.says() == "echoed"
    wire.close()


async def test_a_proxy_that_cannot_be_made_is_told(
    echo: Echo, links: ToxiproxyLinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await links._do("remove it", lambda server: server.get_proxy(LINK).destroy())
    monkeypatch.setattr(echo, "proxy_listen", lambda _link: echo.upstream(LINK))
    with pytest.raises(ActFailed, match="front->store"):
        await links.create_all()
