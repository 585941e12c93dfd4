"""An account that lets internal calls in without the token; no stack ships it, tests deploy it."""

from starlette.applications import Starlette
from starlette.requests import Request

from stack.services.account.access import Access
from stack.services.account.app import Api
from stack.services.common.server import serve
from stack.services.common.settings import Settings


class Open(Access):
    """The check that somebody took out."""

    def internal(self, request: Request) -> None:
        """Nobody is refused."""


class OpenApi(Api):
    """Account without the check."""

    access_type = Open


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return OpenApi(settings).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
