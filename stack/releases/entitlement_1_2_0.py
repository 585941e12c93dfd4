"""Entitlement 1.2.0: publishes revokes in an encoding that nobody decodes yet."""

import json

from starlette.applications import Starlette

from stack.services.common.server import serve
from stack.services.common.settings import Settings
from stack.services.entitlement.app import Api
from stack.services.entitlement.relay import Claimed, Relay, encode


class Recoded(Relay):
    """Revokes as text, grants as ever."""

    def encode(self, row: Claimed) -> bytes:
        """The new encoding, for revokes alone."""
        if row.event_type == "EntitlementGranted":
            return encode(row)
        return json.dumps({"event_id": str(row.event_id), "payload": row.payload}).encode()


class RecodedApi(Api):
    """Entitlement with that relay."""

    relay_type = Recoded


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return RecodedApi(settings).app()


if __name__ == "__main__":
    serve("entitlement", build, default_port=8082)
