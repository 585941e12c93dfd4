"""Account 1.3.0: answers resolve without a body."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from stack.services.account.app import Api
from stack.services.common.server import serve
from stack.services.common.settings import Settings


class Bodiless(Api):
    """The answer was moved into a header that nobody reads."""

    async def resolve(self, request: Request) -> Response:
        """The user's id in a header, and nothing else."""
        answer = await super().resolve(request)
        return Response(status_code=answer.status_code, headers={"X-User-Resolved": "true"})


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Bodiless(settings).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
