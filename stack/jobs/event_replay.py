"""Publishes old entitlement events again, without the message id by which the stream would know them."""

import asyncio
import logging
import os

import nats

from stack.jobs.common import Pace
from stack.services.common import logs
from stack.services.common.settings import Settings

log = logging.getLogger("event-replay")

STREAM = "entitlement-events"


async def run(settings: Settings) -> None:
    """Replay from the stream's beginning, again and again, without end."""
    pace = Pace(settings, 20.0)
    client = await nats.connect(settings.text("NATS_URL"), name="event-replay", max_reconnect_attempts=-1)
    jetstream = client.jetstream()
    # What is published here is appended to the same stream: only what was there at the start is old.
    last = (await jetstream.stream_info(STREAM)).state.last_seq
    while True:
        state = (await jetstream.stream_info(STREAM)).state
        for sequence in range(state.first_seq, last + 1):
            await pace.turn()
            message = await jetstream.get_msg(STREAM, sequence)
            await jetstream.publish(message.subject or "", message.data or b"")
        if last < state.first_seq:
            await pace.turn()
            last = state.last_seq


if __name__ == "__main__":
    logs.configure("event-replay")
    asyncio.run(run(Settings(os.environ)))
