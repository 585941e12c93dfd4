"""Entitlement 1.1.0: writes the outbox rows of revokes in a form that its own relay cannot read."""

from starlette.applications import Starlette

from stack.services.common.server import serve
from stack.services.common.settings import Settings
from stack.services.entitlement.app import Api
from stack.services.entitlement.commands import Commands


class Forms(Commands):
    """Revokes in the form that the next relay would read."""

    def payload(self, action: str, body: dict[str, object]) -> str:
        """A form of fields and values, for revokes alone."""
        if action == "grant":
            return super().payload(action, body)
        return "&".join(f"{name}={value}" for name, value in body.items())


class Formed(Api):
    """Entitlement with those commands."""

    commands_type = Forms


def build(settings: Settings) -> Starlette:
    """The service of its settings."""
    return Formed(settings).app()


if __name__ == "__main__":
    serve("entitlement", build, default_port=8082)
