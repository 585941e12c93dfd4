"""HTTP: what workloads send, what probes ask; the only module with the HTTP client.

Requests go straight to the transport: no redirects are followed, no cookies are shared, and what a person's environment
says of proxies does not apply. Cookies are kept by origin, for on one address every port is a party of its own.
"""

import asyncio
import json as jsonlib
import time
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from harness.model.ledger import Ledger
from harness.model.ports import Clock
from harness.model.runtime import Cell
from harness.model.values import Reply

PROBE = {"X-Gameday-Probe": "1"}
"""Marks the harness's own requests, which services count nowhere."""

PROBE_TIMEOUT_S = 0.6
"""Shorter than the engine's patience with one probe, so that a part that does not answer has a reading, not a gap."""


class Sender:
    """Pooled connections to anywhere on this machine."""

    def __init__(self) -> None:
        # The pool looks at each idle connection at each request: few, and not for long after a crowd of slow ones.
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=32, keepalive_expiry=5)
        # Plain HTTP only, and a TLS context costs tens of milliseconds.
        self._transport = httpx.AsyncHTTPTransport(verify=False, limits=limits, trust_env=False)

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[Reply, httpx.Response | None]:
        """One request; never raises for a failing system."""
        timeout = {"connect": timeout_s, "read": timeout_s, "write": timeout_s, "pool": timeout_s}
        request = httpx.Request(method, url, headers=dict(headers), content=content, extensions={"timeout": timeout})
        began_s = time.perf_counter()
        error = "error"
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._transport.handle_async_request(request)
                response.request = request
                body = await response.aread()
                await response.aclose()
        except (httpx.TimeoutException, TimeoutError):
            error = "timeout"
        except httpx.ConnectError:
            error = "refused"
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            error = "reset"
        except AttributeError:
            # The pool asks a connection for its socket, which the event loop has let go of: it has just been closed.
            error = "reset"
        except httpx.HTTPError:
            error = "error"
        else:
            took_s = time.perf_counter() - began_s
            return Reply(response.status_code, body, dict(response.headers), None, took_s), response
        return Reply(None, b"", {}, error, time.perf_counter() - began_s), None

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def encode(json: Any, form: Mapping[str, str] | None) -> tuple[dict[str, str], bytes]:
    """The headers and bytes of a body; nothing for None."""
    if form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    if json is not None:
        return {"Content-Type": "application/json"}, jsonlib.dumps(json).encode()
    return {}, b""


class HttpBrowser:
    """See model.ports.Browser."""

    def __init__(self, sender: Sender, entry: str) -> None:
        self._sender = sender
        self._entry = entry
        self._jars: dict[str, httpx.Cookies] = {}
        self._trusted: set[str] = set()

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
        """One request; cookies are kept by origin."""
        target = urljoin(self._entry + "/", url)
        kind, content = encode(json, form)
        jar = self._jar(target)
        carrying = httpx.Request(method, target)
        jar.set_cookie_header(carrying)
        cookie = {"Cookie": carrying.headers["cookie"]} if "cookie" in carrying.headers else {}
        reply, response = await self._sender.send(
            method, target, headers={**kind, **cookie, **(headers or {})}, content=content, timeout_s=timeout_s
        )
        if response is not None:
            jar.extract_cookies(response)
        return reply

    def trust_secure(self, url: str) -> None:
        """Send Secure cookies to this origin over plain HTTP too."""
        self._trusted.add(_origin(url))

    def cookies(self, url: str) -> Mapping[str, str]:
        """The cookies that would be sent."""
        request = httpx.Request("GET", urljoin(self._entry + "/", url))
        self._jar(str(request.url)).set_cookie_header(request)
        pairs = request.headers.get("cookie", "").split("; ")
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs if pair)}

    def forget(self, url: str) -> None:
        """Drop the cookies of an origin."""
        self._jars.pop(_origin(urljoin(self._entry + "/", url)), None)

    def _jar(self, url: str) -> httpx.Cookies:
        origin = _origin(url)
        if origin not in self._jars:
            secure = ("https", "http") if origin in self._trusted else ("https",)
            self._jars[origin] = httpx.Cookies(CookieJar(DefaultCookiePolicy(secure_protocols=secure)))
        return self._jars[origin]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class HttpClient:
    """See model.ports.Client."""

    def __init__(self, cell: Cell, clock: Clock, ledger: Ledger, sender: Sender) -> None:
        self.clock = clock
        self.ledger = ledger
        self._cell = cell
        self._sender = sender

    def address(self, service: str) -> str:
        """The base URL as clients reach it."""
        link = f"client->{service}"
        known = link in self._cell.topology.links
        return f"http://{self._cell.link_address(link) if known else self._cell.address(service)}"

    def browser(self, entry: str) -> HttpBrowser:
        """A new browser."""
        return HttpBrowser(self._sender, self.address(entry))

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
        """One request without cookies."""
        kind, content = encode(json, None)
        reply, _ = await self._sender.send(
            method,
            self.address(service) + path,
            headers={**kind, **(headers or {})},
            content=content,
            timeout_s=timeout_s,
        )
        return reply

    def secret(self, name: str) -> str:
        """A credential that the client side rightly has."""
        return self._cell.topology.secrets[name]


class Asker:
    """The harness's own tagged requests, straight to services, past their links."""

    def __init__(self, cell: Cell, sender: Sender) -> None:
        self._cell = cell
        self._sender = sender

    async def ask(
        self,
        service: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        tagged: bool = True,
        instance: int = 0,
        timeout_s: float = PROBE_TIMEOUT_S,
    ) -> Reply:
        """One request; `body` goes as JSON."""
        kind, content = encode(body, None)
        address = self._cell.addresses(service)[instance]
        reply, _ = await self._sender.send(
            method,
            f"http://{address}{path}",
            headers={**(PROBE if tagged else {}), **kind, **(headers or {})},
            content=content,
            timeout_s=timeout_s,
        )
        return reply
