"""Reports on the queues, computed inside Redis by one script a report: nobody else is answered meanwhile.

`REPORT_SPENDS` is the processor time that one report may take there, `JOB_RATE_HZ` how many begin in a second. A report
whose connection was ended is over, and the job with it.
"""

import asyncio
import logging
import os

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from stack.jobs.common import Pace
from stack.services.common import logs
from stack.services.common.settings import Settings

log = logging.getLogger("queue-report")

REPORT = """
-- ARGV: seconds of processor time.  Ranks the waiting tickets of every mode by age, again and again until the time is up.
local until_s = os.clock() + tonumber(ARGV[1])
local rounds = 0
repeat
  for _, mode in ipairs({'casual', 'rank'}) do
    local queued = redis.call('ZRANGE', 'mm:queue:' .. mode, 0, -1, 'WITHSCORES')
    table.sort(queued)
  end
  rounds = rounds + 1
until os.clock() >= until_s
return rounds
"""


async def run(settings: Settings) -> None:
    """Report until the connection is ended."""
    pace = Pace(settings, 0.1)
    spends_s = settings.duration_s("REPORT_SPENDS", "10ms")
    client = aioredis.Redis(
        host=settings.text("REDIS_HOST"),
        port=settings.integer("REDIS_PORT", 6379),
        username=settings.text("REDIS_USER"),
        password=settings.text("REDIS_PASSWORD"),
        client_name="queue-report",
        single_connection_client=True,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        while True:
            await pace.turn()
            await client.execute_command("EVAL", REPORT, "0", str(spends_s))  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        log.warning("the report was ended: %s", error)
    finally:
        await client.aclose()


if __name__ == "__main__":
    logs.configure("queue-report")
    asyncio.run(run(Settings(os.environ)))
