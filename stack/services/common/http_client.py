"""Calling other services: pooled connections, two timeouts, and the request's ids passed on."""

import contextlib
from typing import Any

import httpx

from stack.services.common import logs


class HttpClient:
    """A client of one server."""

    def __init__(self, base_url: str, *, connect_s: float, read_s: float, max_connections: int = 100) -> None:
        self._base_url = base_url
        self._timeout = httpx.Timeout(read_s, connect=connect_s, pool=connect_s)
        self._limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Open the pool."""
        # Everything is plain HTTP inside the system, and a TLS context costs tens of milliseconds at every start.
        self._client = httpx.AsyncClient(
            base_url=self._base_url,
            timeout=self._timeout,
            limits=self._limits,
            trust_env=False,
            verify=False,  # noqa: S501
        )

    async def stop(self) -> None:
        """Close the pool."""
        if self._client is not None:
            with contextlib.suppress(httpx.HTTPError):
                await self._client.aclose()

    async def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """One request; raises httpx.TimeoutException or another httpx.TransportError."""
        if self._client is None:
            raise RuntimeError("the client is used before the service started")
        headers = {**logs.outgoing(), **kwargs.pop("headers", {})}
        return await self._client.request(method, path, headers=headers, **kwargs)
