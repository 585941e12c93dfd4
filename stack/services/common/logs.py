"""Logs: one JSON object a line on standard output, with the ids that follow a request through the system."""

import logging
import sys
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")
trace_id: ContextVar[str] = ContextVar("trace_id", default="")


class _Formatter(JsonFormatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, _fields: dict[str, Any]) -> None:
        log_data["@timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["service.name"] = self._service
        log_data["severity"] = record.levelname
        log_data["logger"] = record.name
        log_data["message"] = record.getMessage()
        log_data["trace_id"] = trace_id.get()
        log_data["request_id"] = request_id.get()
        if record.exc_info:
            log_data["exception"] = self.formatException(record.exc_info)


def configure(service: str, level: str = "INFO") -> None:
    """Send every log line of this process to standard output as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter(service))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "nats", "psycopg.pool", "uvicorn.access", "yoyo"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    logging.getLogger("nats").setLevel(logging.CRITICAL)


def adopt(headers: dict[str, str]) -> None:
    """Take the ids that came with a request, or make new ones."""
    request_id.set(headers.get("x-request-id") or uuid.uuid4().hex)
    parent = headers.get("traceparent", "").split("-")
    trace_id.set(parent[1] if len(parent) == 4 else uuid.uuid4().hex)


def outgoing() -> dict[str, str]:
    """The headers that pass the ids on."""
    found = {}
    if request_id.get():
        found["X-Request-Id"] = request_id.get()
    if trace_id.get():
        found["traceparent"] = f"00-{trace_id.get()}-{uuid.uuid4().hex[:16]}-01"
    return found
