"""Suspends accounts that nobody has used for long, through the administrators' interface.

`CLEANUP_OLDER_THAN` is the age from which an account counts as unused, `CLEANUP_BATCH` the most that one run suspends.
"""

import asyncio
import logging
import os

from stack.jobs.common import Pace, database
from stack.services.common import logs
from stack.services.common.http_client import HttpClient
from stack.services.common.settings import Settings

log = logging.getLogger("account-cleanup")

ACTOR, REASON = "account-cleanup", "unused"


def chosen(settings: Settings) -> list[str]:
    """The accounts of this run, oldest first."""
    with database(settings) as session:
        rows = session.execute(
            "SELECT user_id FROM account.users WHERE status = 'ACTIVE'"
            " AND updated_at < now() - %s * interval '1 second' ORDER BY updated_at LIMIT %s",
            (settings.duration_s("CLEANUP_OLDER_THAN", "365d"), settings.integer("CLEANUP_BATCH", 100)),
        ).fetchall()
    return [str(row[0]) for row in rows]


async def run(settings: Settings) -> None:
    """Suspend them one after another, then end."""
    pace = Pace(settings, 50.0)
    client = HttpClient(settings.text("ACCOUNT_BASE_URL"), connect_s=2, read_s=5)
    await client.start()
    headers = {
        "X-Internal-Token": settings.text("ACCOUNT_INTERNAL_API_TOKEN"),
        "X-User-Roles": "ADMIN",
        "X-Actor-User-Id": ACTOR,
    }
    for user in await asyncio.to_thread(chosen, settings):
        await pace.turn()
        response = await client.request(
            "POST", f"/admin/users/{user}:suspend", params={"reason": REASON}, headers=headers
        )
        log.info("suspended userId=%s status=%d", user, response.status_code)
    await client.stop()


if __name__ == "__main__":
    logs.configure("account-cleanup")
    asyncio.run(run(Settings(os.environ)))
