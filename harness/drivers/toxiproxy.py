"""Toxiproxy: the proxies of a cell's links; the only module that speaks to it.

The client library keeps the server's address in a class attribute, is synchronous, sets no timeout and lets an answer
that says "failed" pass. So every call goes through one lock with a bounded session, in a thread, and what it was to do is
read back.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import toxiproxy
import toxiproxy.api
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists
from toxiproxy.proxy import Proxy

from harness.model.errors import ActFailed, Happened
from harness.model.runtime import Cell, LinkState

T = TypeVar("T")

ANSWER_S = 2.0
"""Toxiproxy answers within milliseconds; one that does not within this hangs."""


class _Bounded(requests.Session):
    """A session in which no request waits for ever."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """One request, bounded."""
        kwargs.setdefault("timeout", ANSWER_S)
        return super().request(*args, **kwargs)


_LOCK = threading.Lock()
_SESSION = _Bounded()
_SESSION.trust_env = False
toxiproxy.api.requests = _SESSION
_TROUBLE = (requests.RequestException, InvalidToxic, NotFound, ProxyExists, ValueError, KeyError)


class ToxiproxyLinks:
    """See model.runtime.Links; it also breaks links, for the injector."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    async def create_all(self) -> None:
        """Make a proxy for every link of the topology."""
        wanted = [
            {
                "name": link,
                "listen": self._cell.proxy_listen(link),
                "upstream": self._cell.upstream(link),
                "enabled": True,
            }
            for link in self._cell.topology.links
        ]
        # In one request, which the client library has no word for; a proxy that could not be made is missing in the next.
        await self._do("create the proxies", lambda _server: APIConsumer.post("/populate", json=wanted))
        unlike = [link for link, state in (await self.states()).items() if not self._healthy(link, state)]
        if unlike:
            raise ActFailed(f"Toxiproxy of {self._cell.name} could not make {', '.join(unlike)}")

    async def states(self) -> dict[str, LinkState]:
        """Every link's proxy now, in one request: the client library asks twice for each."""
        found = await self._do("look at the proxies", lambda _server: _all())
        missing = [link for link in self._cell.topology.links if link not in found]
        if missing:
            raise ActFailed(f"Toxiproxy of {self._cell.name} has no proxy {', '.join(missing)}", happened=Happened.NO)
        return {link: found[link] for link in self._cell.topology.links}

    async def heal(self, link: str) -> None:
        """Remove the proxy and make it anew: every connection ends, and none can meet a half-healed proxy.

        Toxics are never deleted one by one: Toxiproxy 2.12 locks up for good when a toxic is deleted while connections
        that it delays are being closed.
        """

        def heal(server: toxiproxy.Toxiproxy) -> LinkState:
            proxy = server.get_proxy(link)
            if proxy is not None:
                proxy.destroy()
            self._create(server, link)
            return _all()[link]

        state = await self._do(f"heal {link}", heal)
        if not self._healthy(link, state):
            raise ActFailed(f"{link} could not be healed: it is {state}")

    async def replace(self) -> None:
        """End Toxiproxy and start a fresh one."""
        await self._cell.kill("toxiproxy")
        await self._cell.start("toxiproxy")
        await self._cell.ready(["toxiproxy"])
        await self.create_all()

    async def cut(self, link: str, *, black_hole: bool) -> None:
        """Refuse, or swallow in both directions."""

        def cut(server: toxiproxy.Toxiproxy) -> LinkState:
            proxy = self._proxy(server, link)
            if black_hole:
                for stream in ("upstream", "downstream"):
                    proxy.add_toxic(type="timeout", stream=stream, attributes={"timeout": 0})
            else:
                proxy.disable()
            return _all()[link]

        state = await self._do(f"cut {link}", cut)
        if (len(state.toxics) != 2) if black_hole else state.enabled:
            raise ActFailed(f"{link} could not be cut: it is {state}")

    async def slow(self, link: str, *, latency_ms: float, jitter_ms: float, rate_kb_s: float | None) -> None:
        """Delay answers, limit bandwidth."""
        toxics: list[tuple[str, dict[str, int]]] = []
        if latency_ms or jitter_ms:
            toxics.append(("latency", {"latency": int(latency_ms), "jitter": int(jitter_ms)}))
        if rate_kb_s is not None:
            toxics.append(("bandwidth", {"rate": int(rate_kb_s)}))
        await self._add(link, toxics, "downstream")

    async def reset(self, link: str, *, after_ms: int) -> None:
        """Reset connections once data flows."""
        await self._add(link, [("reset_peer", {"timeout": after_ms})], "upstream")

    async def _add(self, link: str, toxics: list[tuple[str, dict[str, int]]], stream: str) -> None:
        def add(server: toxiproxy.Toxiproxy) -> LinkState:
            proxy = self._proxy(server, link)
            for kind, attributes in toxics:
                proxy.add_toxic(type=kind, stream=stream, attributes=attributes)
            return _all()[link]

        state = await self._do(f"change {link}", add)
        missing = {f"{kind}_{stream}" for kind, _ in toxics} - set(state.toxics)
        if missing:
            raise ActFailed(f"{link} did not take {', '.join(sorted(missing))}")

    def _healthy(self, link: str, state: LinkState) -> bool:
        return state.enabled and not state.toxics and state.upstream == self._cell.upstream(link)

    def _create(self, server: toxiproxy.Toxiproxy, link: str) -> None:
        server.create(upstream=self._cell.upstream(link), name=link, listen=self._cell.proxy_listen(link), enabled=True)

    def _proxy(self, server: toxiproxy.Toxiproxy, link: str) -> Proxy:
        self._cell.topology.server(link)
        proxy = server.get_proxy(link)
        if proxy is None:
            raise ActFailed(f"Toxiproxy of {self._cell.name} has no proxy {link}", happened=Happened.NO)
        return proxy

    async def _do(self, what: str, work: Callable[[toxiproxy.Toxiproxy], T]) -> T:
        """Work with the server in a thread; raises ActFailed when it does not answer or says no."""
        api = self._cell.proxy_api()

        def locked() -> T:
            with _LOCK:
                server = toxiproxy.Toxiproxy()
                server.update_api_consumer(api.host, api.port)
                return work(server)

        try:
            return await asyncio.to_thread(locked)
        except _TROUBLE as error:
            raise ActFailed(f"cannot {what}: Toxiproxy at {api} says {type(error).__name__}: {error}") from None


def _all() -> dict[str, LinkState]:
    """Every proxy that there is, in one request."""
    proxies: dict[str, Any] = APIConsumer.get("/proxies").json()
    return {
        name: LinkState(
            bool(p["enabled"]), str(p["upstream"]), tuple(sorted(str(toxic["name"]) for toxic in p["toxics"]))
        )
        for name, p in proxies.items()
    }
