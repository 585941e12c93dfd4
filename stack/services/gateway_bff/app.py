"""The gateway: people log in through it and reach everything else behind it."""

import asyncio
import hmac
import logging
import time
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stack.services.common.app import ApiError, body_of, create_app
from stack.services.common.metrics import REQUEST_BUCKETS_S, counter
from stack.services.common.settings import Settings
from stack.services.gateway_bff.oidc import LoginError, Provider
from stack.services.gateway_bff.sessions import CSRF_HEADER, Principal, Session, Sessions
from stack.services.gateway_bff.upstream import Upstream

log = logging.getLogger("gateway")

PROVIDER = "keycloak"
USER_FIELDS = ("userId", "displayName", "locale", "status", "roles")
TICKET_FIELDS = ("ticket_id", "status", "expires_at")
CODES = (
    "ACCOUNT_TIMEOUT", "ACCOUNT_BAD_GATEWAY", "ACCOUNT_INVALID_RESPONSE", "ACCOUNT_UNAUTHORIZED", "ACCOUNT_FORBIDDEN",
    "ACCOUNT_NOT_FOUND", "ACCOUNT_BUSY",
)  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """Who calls, as account knows it."""

    user_id: str
    roles: tuple[str, ...]
    status: str


class Api:
    """The routes."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Sessions(settings)
        self.provider = Provider(
            settings,
            connect_s=settings.duration_s("gateway.client.connect-timeout", "500ms"),
            read_s=settings.duration_s("gateway.client.read-timeout", "1s"),
        )
        self._logins = counter(self.registry, "gateway_login_total", "Logins by result", "result", ("success", "error"))
        account_errors = counter(
            self.registry, "gateway_account_integration_error_total", "Failed calls to account", "code", CODES
        )
        self.account = Upstream(
            settings, "account", settings.text("ACCOUNT_BASE_URL"), lambda code: account_errors.labels(code).inc()
        )
        self.entitlement = Upstream(settings, "entitlement", settings.text("ENTITLEMENT_BASE_URL"), _uncounted)
        self.matchmaking = Upstream(settings, "matchmaking", settings.text("MATCHMAKING_BASE_URL"), _uncounted)
        self._token = settings.text("ACCOUNT_INTERNAL_API_TOKEN", "")
        self._token_header = settings.text("ACCOUNT_INTERNAL_API_HEADER_NAME", "X-Internal-Token")
        self._user_header = settings.text("ACCOUNT_USER_ID_HEADER_NAME", "X-User-Id")
        self._roles_header = settings.text("ACCOUNT_USER_ROLES_HEADER_NAME", "X-User-Roles")
        self._profile_metrics()

    def _profile_metrics(self) -> None:
        self._aggregates = Counter(
            "gateway_profile_aggregate_total", "Profiles by result", ["result", "ticket"], registry=self.registry
        )
        for result in ("success", "error", "forbidden"):
            for ticket in ("true", "false"):
                self._aggregates.labels(result, ticket)
        self._dependency_s = Histogram(
            "gateway_profile_aggregate_dependency_duration_seconds",
            "Time of each dependency of a profile",
            ["dependency", "result"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS_S,
        )
        self._dependency_errors = Counter(
            "gateway_profile_aggregate_dependency_error_total",
            "Failed dependencies of profiles",
            ["dependency", "reason"],
            registry=self.registry,
        )

    # Logging in ------------------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """The way in; and where failed logins end."""
        if "error" in request.query_params:
            self._logins.labels("error").inc()
            raise ApiError(401, "LOGIN_FAILED", "the login failed; try again at /login")
        return RedirectResponse(f"/oauth2/authorization/{PROVIDER}", 302)

    async def authorize(self, _request: Request) -> Response:
        """Send the browser to the provider."""
        url, pending = self.provider.begin()
        response = RedirectResponse(url, 302)
        self.sessions.begin(response, pending=pending)
        return response

    async def callback(self, request: Request) -> Response:
        """Take the browser back from the provider."""
        session = self.sessions.of(request)
        pending = session.pending if session else None
        try:
            principal = await self.provider.complete(pending, dict(request.query_params))
        except LoginError as error:
            log.warning("oauth2 login failed: [%s]", error)
            return RedirectResponse("/login?error", 302)
        finally:
            # A code and a state are good for one try.
            if session is not None:
                session.pending = None
        if session is not None:
            self.sessions.end(session)
        response = RedirectResponse("/", 302)
        self.sessions.begin(response, principal=principal)
        self._logins.labels("success").inc()
        return response

    async def home(self, request: Request) -> Response:
        """Where a login ends."""
        self._principal(request)
        return JSONResponse({"status": "logged in"})

    async def logout(self, request: Request) -> Response:
        """End the session; needs the token that only our own pages can read."""
        session = self.sessions.of(request)
        given = request.headers.get(CSRF_HEADER, "")
        if session is None or not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise ApiError(403, "CSRF_TOKEN_INVALID", f"{CSRF_HEADER} is missing or wrong")
        self.sessions.end(session)
        return Response(status_code=204)

    # Who calls -------------------------------------------------------------------------------------------------------

    def _principal(self, request: Request) -> Principal:
        session: Session | None = self.sessions.of(request)
        if session is None or session.principal is None:
            raise ApiError(401, "UNAUTHORIZED", "log in at /login")
        return session.principal

    async def _identity(self, request: Request) -> Identity:
        """Who calls; account says so anew at every call, so that a suspension counts at once."""
        principal = self._principal(request)
        _, body = await self.account.call(
            "POST",
            "/identities:resolve",
            required=("userId", "accountStatus", "roles"),
            headers={self._token_header: self._token},
            json={
                "provider": PROVIDER,
                "subject": principal.subject,
                "email": principal.email,
                "emailVerified": principal.email_verified,
                "name": principal.name,
                "picture": principal.picture,
            },
            not_found=False,
        )
        identity = Identity(str(body["userId"]), tuple(body["roles"]), str(body["accountStatus"]))
        if identity.status != "ACTIVE":
            raise ApiError(403, "ACCOUNT_INACTIVE", "the account is not active")
        return identity

    def _on_behalf_of(self, identity: Identity) -> dict[str, str]:
        return {
            self._token_header: self._token,
            self._user_header: identity.user_id,
            self._roles_header: ",".join(identity.roles),
        }

    # Users -----------------------------------------------------------------------------------------------------------

    async def me(self, request: Request) -> Response:
        """Who the caller is."""
        identity = await self._identity(request)
        return JSONResponse(
            {"userId": identity.user_id, "accountStatus": identity.status, "roles": list(identity.roles)}
        )

    async def user(self, request: Request) -> Response:
        """Read or change a user; account judges who may."""
        body = await body_of(request) if request.method == "PATCH" else None
        unknown = set(body) - {"displayName", "locale"} if body is not None else set()
        if body is not None and (unknown or not body or not all(isinstance(v, str) and v for v in body.values())):
            raise ApiError(400, "BAD_REQUEST", "only displayName and locale can be changed, each to a text")
        identity = await self._identity(request)
        return JSONResponse(await self._account_user(request.method, request.path_params["user_id"], identity, body))

    async def _account_user(
        self, method: str, user_id: str, identity: Identity, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        _, found = await self.account.call(
            method, f"/users/{user_id}", required=USER_FIELDS, headers=self._on_behalf_of(identity), json=body
        )
        return {name: found[name] for name in USER_FIELDS}

    async def profile(self, request: Request) -> Response:
        """A user's own profile: account, entitlements, and a matchmaking ticket when one is named."""
        ticket_id = request.query_params.get("ticketId", "")
        with_ticket = str(bool(ticket_id)).lower()
        try:
            identity = await self._identity(request)
            user_id = request.path_params["user_id"]
            if identity.user_id != user_id:
                raise ApiError(403, "PROFILE_FORBIDDEN", "the profile is somebody else's")
            parts = [
                self._part("account", self._account_user("GET", user_id, identity)),
                self._part("entitlement", self._entitlements(user_id)),
            ]
            if ticket_id:
                parts.append(self._part("matchmaking", self._ticket("GET", ticket_id, identity)))
            found = await asyncio.gather(*parts)
        except ApiError as error:
            result = "forbidden" if error.code == "PROFILE_FORBIDDEN" else "error"
            self._aggregates.labels(result, with_ticket).inc()
            raise
        self._aggregates.labels("success", with_ticket).inc()
        names = ("account", "entitlements", "matchmaking")
        return JSONResponse(dict(zip(names, found, strict=False)))

    async def _part(self, dependency: str, call: Any) -> Any:
        began_s = time.perf_counter()
        result = "success"
        try:
            return await call
        except ApiError as error:
            result = "error"
            self._dependency_errors.labels(dependency, error.code).inc()
            raise
        finally:
            self._dependency_s.labels(dependency, result).observe(time.perf_counter() - began_s)

    async def _entitlements(self, user_id: str) -> list[Any]:
        _, body = await self.entitlement.call("GET", f"/v1/users/{user_id}/entitlements", required=("entitlements",))
        return list(body["entitlements"])

    # Matchmaking -----------------------------------------------------------------------------------------------------

    async def join(self, request: Request) -> Response:
        """Queue a ticket."""
        body = await body_of(request)
        identity = await self._identity(request)
        status, found = await self.matchmaking.call(
            "POST",
            f"/v1/matchmaking/queues/{request.path_params['mode']}/tickets",
            required=TICKET_FIELDS,
            headers={"X-User-Id": identity.user_id},
            json=body,
        )
        return JSONResponse(found, status)

    async def ticket(self, request: Request) -> Response:
        """Ask after a ticket or cancel it."""
        identity = await self._identity(request)
        return JSONResponse(await self._ticket(request.method, request.path_params["ticket_id"], identity))

    async def _ticket(self, method: str, ticket_id: str, identity: Identity) -> dict[str, Any]:
        _, body = await self.matchmaking.call(
            method,
            f"/v1/matchmaking/tickets/{ticket_id}",
            required=TICKET_FIELDS,
            headers={"X-User-Id": identity.user_id},
        )
        return body


def _uncounted(_code: str) -> None:
    """Only account's failures have a counter of their own; the others show in the requests' statuses."""


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    api = Api(settings)
    return create_app(
        api.registry,
        [
            Route("/", api.home),
            Route("/login", api.login),
            Route(f"/oauth2/authorization/{PROVIDER}", api.authorize),
            Route(f"/login/oauth2/code/{PROVIDER}", api.callback),
            Route("/logout", api.logout, methods=["POST"]),
            Route("/v1/me", api.me),
            Route("/v1/users/{user_id}", api.user, methods=["GET", "PATCH"]),
            Route("/v1/users/{user_id}/profile", api.profile),
            Route("/v1/matchmaking/queues/{mode}/tickets", api.join, methods=["POST"]),
            Route("/v1/matchmaking/tickets/{ticket_id}", api.ticket, methods=["GET", "DELETE"]),
        ],
        ready={},
        background=(api.provider, api.account, api.entitlement, api.matchmaking),
    )
