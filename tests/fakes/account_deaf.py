"""An account that does not take one of its settings, whatever it is given; no stack ships it, tests deploy it."""

import os

from starlette.applications import Starlette

from stack.services.account.app import Api
from stack.services.common.server import serve
from stack.services.common.settings import Settings

DEAF_TO = "ACCOUNT_USER_ROLES_HEADER_NAME"


def build(_settings: Settings) -> Starlette:
    """The service of its environment without that setting."""
    return Api(Settings({name: value for name, value in os.environ.items() if name != DEAF_TO})).app()


if __name__ == "__main__":
    serve("account", build, default_port=8081)
