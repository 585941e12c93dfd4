"""Entitlement 1.3.0: leaves the user out of the events of revokes."""

from dataclasses import replace

from starlette.applications import Starlette

from stack.services.common.events import EntitlementEvent
from stack.services.common.server import serve
from stack.services.common.settings import Settings
from stack.services.entitlement.app import Api
from stack.services.entitlement.relay import Claimed, Relay, encode


class Anonymous(Relay):
    """Revokes without their user."""

    def encode(self, row: Claimed) -> bytes:
        """As ever, less a field, for revokes alone."""
        event = EntitlementEvent.decode(encode(row))
        return event.encode() if event.event_type == 0 else replace(event, user_id="").encode()


class AnonymousApi(Api):
    """Entitlement with that relay."""

    relay_type = Anonymous


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return AnonymousApi(settings).app()


if __name__ == "__main__":
    serve("entitlement", build, default_port=8082)
