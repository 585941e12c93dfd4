"""Telling people: messages over any channel that apprise knows. A channel that fails is tried again, and never fatal."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import apprise
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://")
TRIES = 3
"""So often each channel is tried; the waits between grow from a second."""


@dataclass(frozen=True)
class Failure:
    """A channel that did not take a message.

    Attributes:
        address: the channel's, with its credentials: only to try it again.
        says: one line for people, without them.
    """

    address: str = field(repr=False)
    says: str


def notify(channels: Sequence[str], title: str, body: str, *, wait_s: float = 1.0) -> list[Failure]:
    """Send to every channel; gives those that failed.

    `wait_s` is the wait before the second try, in seconds; it doubles.
    """
    # The library logs what goes wrong; we say it ourselves, once.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    failed = []
    for number, address in enumerate(channels, start=1):
        channel = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if channel is None:
            failed.append(Failure(address, _unknown(number, address)))
            continue
        sent = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=wait_s, max=4),
            retry=retry_if_result(lambda good: not good),
            retry_error_callback=lambda _: False,
        )(channel.notify, body=body, title=title)
        if not sent:
            says = f"channel {number} ({_scheme(address)}) did not take the message, {TRIES} times"
            failed.append(Failure(address, says))
    return failed


def known(address: str) -> bool:
    """Whether apprise knows what an address means."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    return apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None


def unknown(channels: Sequence[str]) -> list[str]:
    """One line for each channel that could never be told anything, without its credentials."""
    return [_unknown(number, address) for number, address in enumerate(channels, start=1) if not known(address)]


def _unknown(number: int, address: str) -> str:
    return f"channel {number} ({_scheme(address)}) is not known; see the list of apprise's services"


def _scheme(address: str) -> str:
    # Whatever has no scheme may be a token from its first character on.
    found = _SCHEME.match(address)
    return found[1] if found else "no scheme"
