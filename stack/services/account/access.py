"""Who may call account: the internal token first, then the identity that the gateway passes on."""

import hmac
import logging
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from starlette.requests import Request

from stack.services.common.app import ApiError
from stack.services.common.metrics import PROBE_HEADER, counter
from stack.services.common.settings import Settings

log = logging.getLogger("account.access")


@dataclass(frozen=True)
class Caller:
    """On whose behalf the gateway calls."""

    user_id: str
    roles: frozenset[str]

    @property
    def admin(self) -> bool:
        """Whether the caller may act on other people's accounts."""
        return "ADMIN" in self.roles


class Access:
    """The checks; each refusal is logged with its reason and counted."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._token = settings.text("ACCOUNT_INTERNAL_API_TOKEN", "")
        self._token_header = settings.text("ACCOUNT_INTERNAL_API_HEADER_NAME", "X-Internal-Token")
        self._user_header = settings.text("ACCOUNT_USER_ID_HEADER_NAME", "X-User-Id")
        self._roles_header = settings.text("ACCOUNT_USER_ROLES_HEADER_NAME", "X-User-Roles")
        self._denied = counter(
            registry,
            "account_authorization_denied_total",
            "Refused calls by reason",
            "reason",
            ("token", "user_missing", "not_owner", "not_admin"),
        )

    def _deny(self, request: Request, reason: str, status: int, code: str, says: str) -> ApiError:
        if PROBE_HEADER.decode() in request.headers:
            # Refused like any other, but kept out of the figures that a harness reads.
            log.info("probe refused reason=%s: %s", reason, says)
        else:
            self._denied.labels(reason).inc()
            log.warning("access denied reason=%s: %s", reason, says)
        return ApiError(status, code, says)

    def internal(self, request: Request) -> None:
        """403 without the token; an empty one matches nothing, not even an empty one."""
        given = request.headers.get(self._token_header, "")
        if not self._token or not hmac.compare_digest(given.encode(), self._token.encode()):
            says = "no internal token is configured" if not self._token else "the internal token is missing or wrong"
            raise self._deny(request, "token", 403, "FORBIDDEN", says)

    def caller(self, request: Request) -> Caller:
        """The caller behind a valid token; 401 without a user."""
        self.internal(request)
        user_id = request.headers.get(self._user_header, "")
        if not user_id:
            raise self._deny(request, "user_missing", 401, "UNAUTHORIZED", f"{self._user_header} is missing")
        roles = request.headers.get(self._roles_header, "")
        return Caller(user_id, frozenset(r.strip() for r in roles.split(",") if r.strip()))

    def owner(self, request: Request, user_id: str) -> Caller:
        """The caller when it owns the account or is ADMIN; else 403."""
        caller = self.caller(request)
        if caller.user_id != user_id and not caller.admin:
            raise self._deny(request, "not_owner", 403, "FORBIDDEN", "neither the owner nor ADMIN")
        return caller

    def admin(self, request: Request) -> str:
        """The acting user's id when the caller is ADMIN; else 403, or 400 without an actor."""
        self.internal(request)
        roles = {r.strip() for r in request.headers.get(self._roles_header, "").split(",")}
        if "ADMIN" not in roles:
            raise self._deny(request, "not_admin", 403, "FORBIDDEN", "ADMIN is needed")
        actor = request.headers.get("X-Actor-User-Id", "")
        if not actor:
            raise ApiError(400, "BAD_REQUEST", "X-Actor-User-Id is missing")
        return actor
