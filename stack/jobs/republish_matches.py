"""Finds the matches that nobody was told of, and publishes each again: its event id, and so its effect, is the same."""

import asyncio
import os
from typing import Any

import nats
import redis
from nats.errors import Error as NatsError

from stack.jobs.common import database, report
from stack.services.common.events import MatchmakingEvent, match_event_id
from stack.services.common.settings import Settings
from stack.services.matchmaking.worker import SUBJECT


def matches(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every match that Redis still knows, by event id."""
    client = redis.Redis(
        host=settings.text("REDIS_HOST"),
        port=settings.integer("REDIS_PORT", 6379),
        username=settings.text("REDIS_USER", "default"),
        password=settings.text("REDIS_PASSWORD", ""),
        decode_responses=True,
        socket_timeout=5,
    )
    found = {}
    for key in client.scan_iter("mm:match:*", count=1000):
        match_id = str(key).removeprefix("mm:match:")
        found[match_event_id(match_id)] = {
            "match_id": match_id,
            **{str(k): str(v) for k, v in client.hgetall(key).items()},
        }
    return found


async def run(settings: Settings) -> None:
    """Find, publish, report."""
    known = matches(settings)
    with database(settings) as session:
        rows = session.execute(
            "SELECT event_id FROM notification.processed_events WHERE event_id = ANY (%s)", (list(known),)
        ).fetchall()
    told = {row[0] for row in rows}
    missing = {event_id: match for event_id, match in known.items() if event_id not in told}
    client = await nats.connect(settings.text("NATS_URL"), name="republish-matches", connect_timeout=2)
    jetstream = client.jetstream()
    published = 0
    for event_id, match in missing.items():
        event = MatchmakingEvent(event_id, 0, match["occurred_at"], match["match_id"], match["mode"])
        try:
            await jetstream.publish(SUBJECT, event.encode(), timeout=2, headers={"Nats-Msg-Id": event_id})
            published += 1
        except (NatsError, TimeoutError):
            continue  # counted as missing and not published; the tool can be run again
    await client.close()
    report({"matches": len(known), "missing": len(missing), "published": published})


if __name__ == "__main__":
    asyncio.run(run(Settings(os.environ)))
