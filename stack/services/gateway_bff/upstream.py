"""Calls to the services behind the gateway, and what their failures look like from outside."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from stack.services.common.app import ApiError
from stack.services.common.http_client import HttpClient
from stack.services.common.settings import Settings

log = logging.getLogger("gateway.upstream")

QUEUE_S = 0.1
"""How long a call waits for its turn when the number of concurrent calls is limited."""

Failed = Callable[[str], None]
"""Told the error code of every failed call."""


class Upstream:
    """One service behind the gateway; `prefix` begins its error codes."""

    def __init__(self, settings: Settings, name: str, base_url: str, failed: Failed) -> None:
        self._prefix = name.upper()
        connect_s = settings.duration_s("gateway.client.connect-timeout", "500ms")
        read_s = settings.duration_s("gateway.client.read-timeout", "1s")
        self._client = HttpClient(base_url, connect_s=connect_s, read_s=read_s)
        # httpx limits each read, not the whole: an answer that trickles must end too.
        self._whole_s = connect_s + read_s
        limit = settings.integer(f"gateway.{name}.max-concurrent-calls", 0)
        self._turns = asyncio.Semaphore(limit) if limit > 0 else None
        self._failed = failed
        self.start, self.stop = self._client.start, self._client.stop

    async def call(
        self,
        method: str,
        path: str,
        *,
        required: tuple[str, ...],
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        not_found: bool = True,
    ) -> tuple[int, dict[str, Any]]:
        """The status and the JSON object of a good answer with the required fields; raises ApiError for any other.

        `not_found` says whether a 404 speaks of the thing asked for, or of an interface that is not there.
        """
        await self._take_turn()
        try:
            async with asyncio.timeout(self._whole_s):
                response = await self._client.request(method, path, headers=dict(headers or {}), json=json)
        except (httpx.TimeoutException, TimeoutError):
            raise self._error(504, "TIMEOUT", "no answer in time") from None
        except httpx.TransportError as error:
            raise self._error(502, "BAD_GATEWAY", f"not reachable: {type(error).__name__}") from None
        finally:
            if self._turns is not None:
                self._turns.release()
        return response.status_code, self._judge(response, required, not_found)

    async def _take_turn(self) -> None:
        if self._turns is None:
            return
        try:
            await asyncio.wait_for(self._turns.acquire(), QUEUE_S)
        except TimeoutError:
            raise self._error(503, "BUSY", "too many calls at once; try again later") from None

    def _judge(self, response: httpx.Response, required: tuple[str, ...], not_found: bool) -> dict[str, Any]:
        status = response.status_code
        if status == 401:
            raise self._error(502, "UNAUTHORIZED", "refused the gateway's identity")
        if status == 403:
            raise self._error(403, "FORBIDDEN", "refused")
        if status == 404 and not_found:
            raise self._error(404, "NOT_FOUND", "not found")
        if not response.is_success:
            raise self._error(502, "BAD_GATEWAY", f"answered {status}")
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or any(name not in body for name in required):
            raise self._error(502, "INVALID_RESPONSE", "the answer is not what was agreed")
        return body

    def _error(self, status: int, code: str, says: str) -> ApiError:
        full = f"{self._prefix}_{code}"
        self._failed(full)
        log.warning("%s %s", full, says)
        return ApiError(status, full, f"{self._prefix.lower()}: {says}")
