"""The two protobuf events of the system, as typed values."""

import uuid
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_TEXT, _INT64, _INT32 = (
    descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
)


class UndecodableError(Exception):
    """A payload is no event: it cannot be parsed or lacks a field that every event has."""


def _message(name: str, fields: dict[str, Any]) -> Any:
    file = descriptor_pb2.FileDescriptorProto(name=f"{name.lower()}.proto", package="miniserversystem", syntax="proto3")
    message = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields.items(), start=1):
        message.field.add(
            name=field, number=number, type=kind, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
        )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"miniserversystem.{name}"))


# The enumerations are written as their numbers: the wire form is the same, and an unknown number stays readable.
_ENTITLEMENT = _message(
    "EntitlementEvent",
    {
        "event_id": _TEXT, "event_type": _INT32, "occurred_at": _TEXT, "user_id": _TEXT, "stock_keeping_unit": _TEXT,
        "source": _TEXT, "source_id": _TEXT, "version": _INT64, "trace_id": _TEXT,
    },
)  # fmt: skip
_MATCHMAKING = _message(
    "MatchmakingEvent",
    {
        "event_id": _TEXT,
        "event_type": _INT32,
        "occurred_at": _TEXT,
        "match_id": _TEXT,
        "mode": _TEXT,
        "trace_id": _TEXT,
    },
)


@dataclass(frozen=True)
class EntitlementEvent:
    """A grant (event_type 0) or a revoke (1)."""

    event_id: str
    event_type: int
    occurred_at: str
    user_id: str
    stock_keeping_unit: str
    source: str = ""
    source_id: str = ""
    version: int = 0
    trace_id: str = ""

    def encode(self) -> bytes:
        """The wire form."""
        return bytes(_ENTITLEMENT(**vars(self)).SerializeToString())

    @classmethod
    def decode(cls, payload: bytes) -> "EntitlementEvent":
        """The event of a payload; raises UndecodableError."""
        event = cls(**_fields(_ENTITLEMENT, payload))
        if not (event.event_id and event.user_id and event.stock_keeping_unit and event.occurred_at):
            raise UndecodableError("a required field is missing")
        if event.event_type not in {0, 1}:
            raise UndecodableError(f"event type {event.event_type} is unknown")
        return event


@dataclass(frozen=True)
class MatchmakingEvent:
    """A match was found (event_type 0)."""

    event_id: str
    event_type: int
    occurred_at: str
    match_id: str
    mode: str
    trace_id: str = ""

    def encode(self) -> bytes:
        """The wire form."""
        return bytes(_MATCHMAKING(**vars(self)).SerializeToString())

    @classmethod
    def decode(cls, payload: bytes) -> "MatchmakingEvent":
        """The event of a payload; raises UndecodableError."""
        event = cls(**_fields(_MATCHMAKING, payload))
        if not (event.event_id and event.match_id and event.occurred_at) or event.event_type != 0:
            raise UndecodableError("a required field is missing")
        return event


def _fields(message: Any, payload: bytes) -> dict[str, Any]:
    try:
        parsed = message.FromString(payload)
    except DecodeError as error:
        raise UndecodableError(str(error)) from None
    return {field.name: getattr(parsed, field.name) for field in parsed.DESCRIPTOR.fields}


def match_event_id(match_id: str) -> str:
    """The event id of a match: always the same, so that telling of it twice has one effect."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"match:{match_id}"))
