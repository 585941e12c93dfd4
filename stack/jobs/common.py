"""What jobs and tools share: a pace that can be changed while they run, and a report at the end."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from stack.services.common.settings import Settings


class Pace:
    """So many rounds a second, or what the control file says now."""

    def __init__(self, settings: Settings, default_hz: float) -> None:
        self._hz = settings.number("JOB_RATE_HZ", default_hz)
        self._file = Path(settings.text("JOB_CONTROL_FILE", ""))
        self._next_s = time.monotonic()

    def _rate_hz(self) -> float:
        try:
            return float(json.loads(self._file.read_text())["rate_hz"])
        except (OSError, ValueError, KeyError, TypeError):
            return self._hz

    async def turn(self) -> None:
        """Wait for the next round; a changed pace counts from the round after."""
        rate_hz = self._rate_hz()
        while rate_hz <= 0:
            await asyncio.sleep(0.1)
            rate_hz = self._rate_hz()
        self._next_s = max(self._next_s + 1 / rate_hz, time.monotonic())
        await asyncio.sleep(max(self._next_s - time.monotonic(), 0))


def database(settings: Settings) -> psycopg.Connection[Any]:
    """A session under the tool's own role."""
    return psycopg.connect(
        host=settings.text("POSTGRES_HOST"),
        port=settings.integer("POSTGRES_PORT", 5432),
        dbname=settings.text("POSTGRES_DB"),
        user=settings.text("POSTGRES_USER"),
        password=settings.text("POSTGRES_PASSWORD"),
        connect_timeout=2,
        application_name="tool",
    )


def report(found: Mapping[str, Any]) -> None:
    """Say what was done, as one line of JSON, the last."""
    print(json.dumps(dict(found)), flush=True)  # noqa: T201  (the report is what a tool is for)
