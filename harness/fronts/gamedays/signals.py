"""Signals that ask to end: heard by whoever leads something, and passed to what it leads."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Let something set its own handlers; those of before are there again afterwards."""
    before = {sig: signal.getsignal(sig) for sig in ENDING}
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)


@contextlib.contextmanager
def heard(act: Callable[[int], object], signals: Sequence[int] = ENDING) -> Iterator[None]:
    """Call `act` with the number of every signal that asks to end; what is said to a closed terminal goes nowhere."""
    terminals = [fd for fd in (0, 1, 2) if os.isatty(fd)]

    def on(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            _let_go(terminals)
        act(number)

    with put_back():
        for sig in signals:
            # Under nohup a closed terminal is of no account.
            if sig != signal.SIGHUP or signal.getsignal(sig) is not signal.SIG_IGN:
                signal.signal(sig, on)
        yield


def interrupt(number: int) -> None:
    """What Ctrl-C does, for the other signals."""
    if number == signal.SIGHUP:
        # A run listens to this one itself, and ends as it should.
        signal.raise_signal(signal.SIGTERM)
        return
    raise KeyboardInterrupt


def _let_go(terminals: Sequence[int]) -> None:
    """Put nothing in the place of terminals that are gone: writing to one raises, in the middle of an end."""
    gone = [fd for fd in terminals if not os.isatty(fd)]
    if gone:
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in gone:
            os.dup2(nothing, fd)
        os.close(nothing)
