"""Sessions in memory, known by an opaque cookie."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from stack.services.common.settings import Settings

LIFETIME_S = 1800.0
"""How long a session lives without a request."""

MOST = 10_000
"""More sessions than this are not kept; the oldest go first."""

CSRF_COOKIE, CSRF_HEADER = "XSRF-TOKEN", "X-XSRF-TOKEN"


@dataclass(frozen=True)
class Principal:
    """Who logged in, as the provider of identities says."""

    subject: str
    email: str
    email_verified: bool
    name: str
    picture: str


@dataclass(frozen=True)
class Pending:
    """A login that was sent to the provider and has not come back."""

    state: str
    nonce: str
    verifier: str


@dataclass
class Session:
    """One browser.

    Attributes:
        principal: who logged in; None before.
        pending: the login under way, or None.
        used_s: when it was last used, monotonic.
    """

    session_id: str
    csrf: str
    used_s: float
    principal: Principal | None = None
    pending: Pending | None = field(default=None)


class Sessions:
    """All sessions of this process."""

    def __init__(self, settings: Settings) -> None:
        prefix = "server.servlet.session.cookie"
        self._name = settings.text(f"{prefix}.name", "JSESSIONID")
        self._path = settings.text(f"{prefix}.path", "/")
        self._domain = settings.text(f"{prefix}.domain", "") or None
        self._secure = settings.flag(f"{prefix}.secure", False)
        self._same_site = _same_site(settings.text(f"{prefix}.same-site", "lax"))
        self._sessions: dict[str, Session] = {}

    def of(self, request: Request) -> Session | None:
        """The session of a request; None without one or after its lifetime."""
        session = self._sessions.get(request.cookies.get(self._name, ""))
        if session is None or time.monotonic() - session.used_s > LIFETIME_S:
            return None
        session.used_s = time.monotonic()
        return session

    def begin(self, response: Response, principal: Principal | None = None, pending: Pending | None = None) -> Session:
        """A new session; its id is new too, so that nobody can have planted it before the login."""
        session = Session(secrets.token_urlsafe(24), secrets.token_urlsafe(24), time.monotonic(), principal, pending)
        while len(self._sessions) >= MOST:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session.session_id] = session
        self._set(response, self._name, session.session_id, http_only=True)
        if principal is not None:
            self._set(response, CSRF_COOKIE, session.csrf, http_only=False)
        return session

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._sessions.pop(session.session_id, None)

    def _set(self, response: Response, name: str, value: str, *, http_only: bool) -> None:
        response.set_cookie(
            name,
            value,
            path=self._path,
            domain=self._domain,
            secure=self._secure,
            httponly=http_only,
            samesite=self._same_site,
        )


def _same_site(text: str) -> Literal["lax", "strict", "none"] | None:
    """The attribute; None leaves it out."""
    match text.lower():
        case "lax":
            return "lax"
        case "strict":
            return "strict"
        case "none":
            return "none"
    return None
