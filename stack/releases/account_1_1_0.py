"""Account 1.1.0: renames a field of the answer of resolve, which the gateway of today does not know."""

from typing import Any

from starlette.applications import Starlette

from stack.services.account.app import Api
from stack.services.account.store import User
from stack.services.common.server import serve
from stack.services.common.settings import Settings


class Renamed(Api):
    """The contract of tomorrow."""

    def identity_body(self, user: User) -> dict[str, Any]:
        """`status` in the place of `accountStatus`."""
        body = super().identity_body(user)
        body["status"] = body.pop("accountStatus")
        return body


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Renamed(settings).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
