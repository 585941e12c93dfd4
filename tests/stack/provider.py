"""A provider of identities for tests, which signs whatever it is told to."""

import time
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.drivers.clock import wait_until

CLIENT_ID = "gateway-bff"


class Provider:
    """Answers the token request with claims and a key of the test's choosing.

    Attributes:
        nonce: that of the login under way, as the test saw it in the address of the authorization.
        claims: what to change in good claims; None takes a claim out.
        status: of the token answer.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.signing = self.key
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.status = 200
        self.base = ""
        self._server: uvicorn.Server | None = None

    def good(self) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": self.base, "aud": CLIENT_ID, "sub": "s1", "iat": now, "exp": now + 60, "nonce": self.nonce}

    async def token(self, _request: Request) -> Response:
        claims = {k: v for k, v in {**self.good(), **self.claims}.items() if v is not None}
        id_token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.signing)
        body = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token}
        return JSONResponse(body if self.status == 200 else {"error": "invalid_client"}, self.status)

    async def keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def start(self) -> None:
        app = Starlette(routes=[Route("/token", self.token, methods=["POST"]), Route("/keys", self.keys)])
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
        import asyncio  # noqa: PLC0415

        self._task = asyncio.create_task(self._server.serve())

        async def there() -> bool:
            return self._server is not None and self._server.started

        await wait_until(there, what="the provider")
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
            await self._task
