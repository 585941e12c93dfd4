"""Running a service: one process, one port, a clean end within seconds of SIGTERM."""

import os
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stack.services.common import logs
from stack.services.common.settings import SettingError, Settings, give_up

GRACE_S = 1
"""How long requests in flight may go on after SIGTERM."""


def serve(name: str, build: Callable[[Settings], Starlette], *, default_port: int) -> None:
    """Run the service that `build` makes of the process's environment until it is told to end."""
    settings = Settings(os.environ)
    logs.configure(name)

    async def told(_request: Request) -> Response:
        # By whoever runs, not by whoever started it: the module that built the service, and what it has read.
        return JSONResponse({"module": _module_of(build), "settings": settings.in_effect()})

    try:
        app = build(settings)
        app.router.routes.insert(0, Route("/actuator/settings", told))
        host, port = settings.text("SERVER_ADDRESS", "127.0.0.1"), settings.integer("SERVER_PORT", default_port)
    except SettingError as error:
        give_up(error)
        return
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=60,
    )


def _module_of(build: Callable[[Settings], Starlette]) -> str:
    """The module that a function comes from, by its own name also where it was run as the main one."""
    spec = getattr(build, "__globals__", {}).get("__spec__")
    return spec.name if spec is not None else build.__module__
