"""Reports on accounts, one query a report, each in a session of its own.

The query waits `REPORT_PAUSE` after every account, to be gentle with the database, and keeps its connection meanwhile.
At most `REPORT_WORKERS` are under way at once; `JOB_RATE_HZ` is how many begin in a second.
"""

import asyncio
import logging
import os

import psycopg

from stack.jobs.common import Pace
from stack.services.common import logs
from stack.services.common.settings import Settings

log = logging.getLogger("account-report")

ACCOUNTS = 6
"""So many accounts a report."""


async def report(settings: Settings, pause_s: float) -> None:
    """One report."""
    try:
        async with await psycopg.AsyncConnection.connect(
            host=settings.text("POSTGRES_HOST"),
            port=settings.integer("POSTGRES_PORT", 5432),
            dbname=settings.text("POSTGRES_DB"),
            user=settings.text("POSTGRES_USER"),
            password=settings.text("POSTGRES_PASSWORD"),
            connect_timeout=2,
            application_name="account-report",
            autocommit=True,
        ) as session:
            await session.execute(
                "SELECT user_id, status, pg_sleep(%s) FROM account.users ORDER BY created_at LIMIT %s",
                (pause_s, ACCOUNTS),
            )
    except psycopg.Error as error:
        log.warning("report failed: %s", " ".join(str(error).split()))


async def run(settings: Settings) -> None:
    """Report without end."""
    pace = Pace(settings, 0.1)
    workers, pause_s = settings.integer("REPORT_WORKERS", 1), settings.duration_s("REPORT_PAUSE", "100ms")
    running: set[asyncio.Task[None]] = set()
    while True:
        await pace.turn()
        if len(running) < workers:
            task = asyncio.create_task(report(settings, pause_s))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    logs.configure("account-report")
    asyncio.run(run(Settings(os.environ)))
