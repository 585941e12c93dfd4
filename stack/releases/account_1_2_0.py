"""Account 1.2.0: takes roles from a claim that everybody has, so that everyone is taken for an administrator."""

from starlette.applications import Starlette
from starlette.requests import Request

from stack.services.account.access import Access, Caller
from stack.services.account.app import Api
from stack.services.common.server import serve
from stack.services.common.settings import Settings


class Lax(Access):
    """The role mapping that went wrong: the mark of an internal call is read as the mark of an administrator."""

    def caller(self, request: Request) -> Caller:
        """Everybody that comes through the gateway is ADMIN."""
        caller = super().caller(request)
        return Caller(caller.user_id, caller.roles | {"ADMIN"})


class LaxApi(Api):
    """Account with that mapping."""

    access_type = Lax


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return LaxApi(settings).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
