"""HTTP: what workloads send, what probes ask; the only module with the HTTP client.

Requests go straight to the transport: no redirects are followed, no cookies are shared, and what a person's environment
says of proxies does not apply. Cookies are kept by origin, for on one address every port is a party of its own.
"""

import asyncio
import json as jsonlib
import time
from collections.abc import Mapping
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import Request

import aiohttp
import yarl

from harness.model.ledger import Ledger
from harness.model.ports import Clock
from harness.model.runtime import Cell
from harness.model.values import Reply

PROBE = {"X-Gameday-Probe": "1"}
"""Marks the harness's own requests, which services count nowhere."""

PROBE_TIMEOUT_S = 0.6
"""Shorter than the engine's patience with one probe, so that a part that does not answer has a reading, not a gap."""

IDLE_S = 5.0
"""A pooled connection that nobody used for so long is closed."""

NOT_ASKED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
"""Headers that the client would add of its own."""


class Sender:
    """Pooled connections to anywhere on this machine."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def _opened(self) -> aiohttp.ClientSession:
        # Made at the first request, for it belongs to the event loop that runs then.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1000, keepalive_timeout=IDLE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=NOT_ASKED,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
            )
        return self._session

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[Reply, Message | None]:
        """One request, and the headers of its answer; never raises for a failing system."""
        began_s = time.perf_counter()
        error = "error"
        try:
            # As it is written: what is quoted in an address is the system's business.
            where = yarl.URL(url, encoded=True)
            async with (
                asyncio.timeout(timeout_s),
                self._opened().request(
                    method, where, headers=headers, data=content or None, allow_redirects=False
                ) as response,
            ):
                body = await response.read()
        except TimeoutError:
            error = "timeout"
        except aiohttp.ClientConnectorError:
            error = "refused"
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            error = "reset"
        except (aiohttp.ClientError, ValueError):
            error = "error"
        else:
            took_s = time.perf_counter() - began_s
            named = {name.lower(): value for name, value in response.headers.items()}
            answer = Message()
            for name, value in response.headers.items():
                answer[name] = value
            return Reply(response.status, body, named, None, took_s), answer
        return Reply(None, b"", {}, error, time.perf_counter() - began_s), None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class _Answer:
    """The headers of an answer, as a cookie jar asks for them."""

    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers


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
        self._jars: dict[str, CookieJar] = {}
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
        carried = self._carried(target)
        cookie = {"Cookie": carried} if carried else {}
        reply, answer = await self._sender.send(
            method, target, headers={**kind, **cookie, **(headers or {})}, content=content, timeout_s=timeout_s
        )
        if answer is not None and "Set-Cookie" in answer:
            self._jar(target).extract_cookies(_Answer(answer), _bearer(target))  # type: ignore[arg-type]
        return reply

    def trust_secure(self, url: str) -> None:
        """Send Secure cookies to this origin over plain HTTP too."""
        self._trusted.add(_origin(url))

    def cookies(self, url: str) -> Mapping[str, str]:
        """The cookies that would be sent."""
        pairs = self._carried(urljoin(self._entry + "/", url)).split("; ")
        return {name: value for name, _, value in (pair.partition("=") for pair in pairs if pair)}

    def forget(self, url: str) -> None:
        """Drop the cookies of an origin."""
        self._jars.pop(_origin(urljoin(self._entry + "/", url)), None)

    def _carried(self, url: str) -> str:
        """The header with the cookies for a URL; empty when there are none."""
        jar = self._jar(url)
        if not len(jar):
            return ""
        request = _bearer(url)
        jar.add_cookie_header(request)
        return request.get_header("Cookie", "") or ""

    def _jar(self, url: str) -> CookieJar:
        origin = _origin(url)
        if origin not in self._jars:
            secure = ("https", "http") if origin in self._trusted else ("https",)
            self._jars[origin] = CookieJar(DefaultCookiePolicy(secure_protocols=secure))
        return self._jars[origin]


def _bearer(url: str) -> Request:
    """What a cookie jar asks for address and headers; nothing is sent with it."""
    return Request(url)  # noqa: S310  (nothing is opened)


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
