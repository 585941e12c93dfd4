"""Suspends a batch of accounts through the administrators' interface."""

import asyncio
import logging
import os

from stack.jobs.common import Pace
from stack.services.common import logs
from stack.services.common.http_client import HttpClient
from stack.services.common.settings import Settings

log = logging.getLogger("account-cleanup")


async def run(settings: Settings) -> None:
    """Suspend every user of the batch, then end."""
    users = [u for u in settings.text("CLEANUP_USERS", "").split(",") if u]
    reason = settings.text("CLEANUP_REASON", "inactive")
    pace = Pace(settings, 50.0)
    client = HttpClient(settings.text("ACCOUNT_BASE_URL"), connect_s=2, read_s=5)
    await client.start()
    headers = {
        "X-Internal-Token": settings.text("ACCOUNT_INTERNAL_API_TOKEN"),
        "X-User-Roles": "ADMIN",
        "X-Actor-User-Id": settings.text("CLEANUP_ACTOR", "account-cleanup"),
    }
    for user in users:
        await pace.turn()
        response = await client.request(
            "POST", f"/admin/users/{user}:suspend", params={"reason": reason}, headers=headers
        )
        log.info("suspended userId=%s status=%d", user, response.status_code)
    await client.stop()


if __name__ == "__main__":
    logs.configure("account-cleanup")
    asyncio.run(run(Settings(os.environ)))
