"""Imports sign-ups: ever new subjects, each resolved by several calls at once, as a herd of retrying clients does.

`JOB_RATE_HZ` is how many subjects begin in a second, `IMPORT_HERD` the calls of each, `IMPORT_CALLS` the most at once.
"""

import asyncio
import logging
import os
import uuid

import httpx

from stack.jobs.common import Pace
from stack.services.common import logs
from stack.services.common.http_client import HttpClient
from stack.services.common.settings import Settings

log = logging.getLogger("signup-import")


async def run(settings: Settings) -> None:
    """Import without end."""
    herd = settings.integer("IMPORT_HERD", 8)
    most = settings.integer("IMPORT_CALLS", 100)
    pace = Pace(settings, 10.0)
    client = HttpClient(settings.text("ACCOUNT_BASE_URL"), connect_s=2, read_s=10, max_connections=most)
    await client.start()
    headers = {"X-Internal-Token": settings.text("ACCOUNT_INTERNAL_API_TOKEN")}
    running: set[asyncio.Task[None]] = set()

    async def resolve(subject: str) -> None:
        body = {"provider": "import", "subject": subject, "email": f"{subject}@example.com", "name": subject}
        try:
            await client.request("POST", "/identities:resolve", json=body, headers=headers)
        except httpx.HTTPError as error:
            log.warning("sign-up failed: %s", type(error).__name__)

    while True:
        await pace.turn()
        subject = uuid.uuid4().hex
        for _ in range(herd if len(running) + herd <= most else 0):
            task = asyncio.create_task(resolve(subject))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    logs.configure("signup-import")
    asyncio.run(run(Settings(os.environ)))
