"""Logging in through Keycloak as a browser does, and the logins workload."""

import random
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

from harness.model.errors import InfrastructureError
from harness.model.ports import Browser, Client
from harness.model.values import Reply
from scenarios.workloads.common import enter, said

USERS = 40
"""The realm has user-001 to user-040."""

ENTRY = "gateway-bff"
HOPS = 8
"""More redirects than this are a circle."""


class _Form(HTMLParser):
    """The address that the page's first form is posted to."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the first form's action."""
        if tag == "form" and not self.action:
            self.action = dict(attrs).get("action") or ""


def user_name(n: int) -> str:
    """The n-th user, going round."""
    return f"user-{n % USERS + 1:03d}"


async def log_in(client: Client, browser: Browser, user: str) -> tuple[bool, Reply]:
    """Log in from the beginning; gives whether it ended at the home page, and the last answer."""
    # Keycloak's cookies are Secure even on plain HTTP, where browsers send them to loopback all the same.
    browser.trust_secure(client.address("keycloak"))
    reply = await browser.request("GET", "/login")
    for _ in range(HOPS):
        location = reply.headers.get("location", "")
        if reply.status == 302 and urlsplit(location).path == "/" and not location.startswith("//"):
            return True, reply
        if reply.status in {302, 303} and location:
            reply = await browser.request("GET", location)
        elif reply.status == 200 and b"<form" in reply.body:
            form = _Form()
            form.feed(reply.body.decode(errors="replace"))
            if not form.action:
                return False, reply
            credentials = {"username": user, "password": client.secret("user-password"), "credentialId": ""}
            reply = await browser.request("POST", form.action, form=credentials)
        else:
            return False, reply
    return False, reply


@dataclass
class Crowd:
    """People who are logged in, each with a browser, a name and a user id."""

    browsers: list[Browser] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    user_ids: list[str] = field(default_factory=list)
    _entering: set[int] = field(default_factory=set)

    async def enter_again(self, client: Client, who: int) -> None:
        """Log one of them in, whose session is gone.

        One login at a time: two in one browser would take each other's session away, for as long as both are slow.
        """
        if who in self._entering:
            return
        self._entering.add(who)
        try:
            await log_in(client, self.browsers[who], self.names[who])
        finally:
            self._entering.discard(who)


async def crowd(client: Client, size: int, first: int) -> Crowd:
    """Log people in and learn their user ids; raises InfrastructureError when one cannot."""
    people = Crowd()
    for n in range(size):
        browser = client.browser(ENTRY)
        good, reply = await log_in(client, browser, user_name(first + n))
        if not good:
            raise InfrastructureError(f"{user_name(first + n)} cannot log in: {reply.status or reply.error}")
        me = await browser.request("GET", "/v1/me")
        body = me.json()
        if me.status != 200 or not isinstance(body, dict):
            raise InfrastructureError(f"{user_name(first + n)} has no account: {me.status or me.error} {me.code or ''}")
        people.browsers.append(browser)
        people.names.append(user_name(first + n))
        people.user_ids.append(str(body["userId"]))
    return people


@dataclass(frozen=True)
class Logins:
    """Each time a new browser: a login, then `/v1/me` with whatever session came of it."""

    rate_hz: float = 3.0
    name: str = "logins"
    uses: frozenset[str] = frozenset({"keycloak"})

    async def prepare(self, client: Client, seed: int) -> None:
        """One login: Keycloak and account do at the first what later ones need not."""
        await crowd(client, 1, seed)

    async def send(self, client: Client, planned_s: float, n: int, rng: random.Random) -> None:
        """Log in, then ask who one is."""
        sent_s = client.clock.now_s()
        browser = client.browser(ENTRY)
        good, reply = await log_in(client, browser, user_name(rng.randrange(USERS)))
        enter(client, "logins.login", planned_s, sent_s, reply, accepted=good)
        began_s = client.clock.now_s()
        me = await browser.request("GET", "/v1/me")
        enter(client, "logins.me", began_s, began_s, me, accepted=me.status == 200, data=said(me))
