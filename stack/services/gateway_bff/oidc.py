"""Logging in with the provider: authorization code flow with PKCE; state, nonce, signature, issuer and audience checked."""

import hmac
import secrets
import warnings
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from stack.services.common.settings import Settings
from stack.services.gateway_bff.sessions import Pending, Principal

with warnings.catch_warnings():
    # It would rather have the successor of the client that the rest of the system uses; both work alike here.
    warnings.filterwarnings("ignore", message="The httpx module is deprecated")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

ALGORITHMS = ["RS256"]


class LoginError(Exception):
    """A login failed; its text is the reason, in one word or a few."""


class _Kept(httpx.AsyncHTTPTransport):
    """A transport that outlives the clients that use it, so that connections to the provider are pooled."""

    async def __aexit__(self, *_: object) -> None:
        """Stay open."""

    async def aclose(self) -> None:
        """Stay open."""

    async def end(self) -> None:
        """Close for good."""
        await super().aclose()


class Provider:
    """The provider of identities."""

    def __init__(self, settings: Settings, *, connect_s: float, read_s: float) -> None:
        self._client_id = settings.text("OIDC_CLIENT_ID", "gateway-bff")
        self._secret = settings.text("OIDC_CLIENT_SECRET", "")
        self._redirect_uri = settings.text("OIDC_REDIRECT_URI", "")
        self._authorization_uri = settings.text("OIDC_AUTHORIZATION_URI", "")
        self._token_uri = settings.text("OIDC_TOKEN_URI", "")
        self._jwk_set_uri = settings.text("OIDC_JWK_SET_URI", "")
        self._issuer = settings.text("OIDC_ISSUER_URI", "")
        self._timeout = httpx.Timeout(read_s, connect=connect_s)
        self._transport: _Kept | None = None
        self._keys: KeySet | None = None

    async def start(self) -> None:
        """Open the pool."""
        self._transport = _Kept(verify=False, trust_env=False)

    async def stop(self) -> None:
        """Close the pool."""
        if self._transport is not None:
            await self._transport.end()

    def _client(self) -> Any:
        return AsyncOAuth2Client(
            self._client_id,
            self._secret,
            redirect_uri=self._redirect_uri,
            scope="openid profile email",
            code_challenge_method="S256",
            transport=self._transport,
            timeout=self._timeout,
            trust_env=False,
        )

    def begin(self) -> tuple[str, Pending]:
        """Where to send the browser, and what must come back with it."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        url, state = self._client().create_authorization_url(
            self._authorization_uri, code_verifier=verifier, nonce=nonce
        )
        return url, Pending(state, nonce, verifier)

    async def complete(self, pending: Pending | None, parameters: dict[str, str]) -> Principal:
        """Who came back; raises LoginError."""
        if pending is None:
            raise LoginError("authorization_request_not_found")
        if not hmac.compare_digest(parameters.get("state", "").encode(), pending.state.encode()):
            raise LoginError("invalid_state_parameter")
        if "error" in parameters or not parameters.get("code"):
            raise LoginError(parameters.get("error") or "code_missing")
        token = await self._token(parameters["code"], pending.verifier)
        return await self._principal(token, pending.nonce)

    async def _token(self, code: str, verifier: str) -> dict[str, Any]:
        try:
            async with self._client() as client:
                token: dict[str, Any] = await client.fetch_token(self._token_uri, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise LoginError(f"invalid_token_response: {error.error}") from None
        except httpx.HTTPError as error:
            raise LoginError(f"provider_unreachable: {type(error).__name__}") from None
        except ValueError:
            raise LoginError("invalid_token_response: not JSON") from None
        if "id_token" not in token:
            raise LoginError("invalid_token_response: no id_token")
        return token

    async def _principal(self, token: dict[str, Any], nonce: str) -> Principal:
        try:
            claims = (await self._decode(token["id_token"])).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise LoginError(f"invalid_id_token: {error}") from None
        return Principal(
            str(claims["sub"]),
            str(claims.get("email", "")),
            bool(claims.get("email_verified", False)),
            str(claims.get("name", "")),
            str(claims.get("picture", "")),
        )

    async def _decode(self, id_token: str) -> jwt.Token:
        """Check the signature; a key that is not known is asked for once more, for providers change keys."""
        if self._keys is not None:
            try:
                return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                self._keys = None
        self._keys = await self._fetch_keys()
        return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)

    async def _fetch_keys(self) -> KeySet:
        assert self._transport is not None  # noqa: S101  (open between start and stop)
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=self._timeout, trust_env=False) as client:
                response = await client.get(self._jwk_set_uri)
                response.raise_for_status()
                keys = response.json()["keys"]
            return KeySet.import_key_set({"keys": [k for k in keys if k.get("use") == "sig"]})
        except httpx.HTTPError as error:
            raise LoginError(f"keys_unreachable: {type(error).__name__}") from None
        except (ValueError, KeyError, TypeError, JoseError) as error:
            raise LoginError(f"invalid_keys: {error}") from None
