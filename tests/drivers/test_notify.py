"""Notifications over a real channel: an HTTP hook on this machine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.drivers.notify import known, notify

Taken = list[dict[str, str]]


@pytest.fixture
def hook() -> Iterator[tuple[int, Taken, list[int]]]:
    """A hook that answers with the statuses it is given, then 200."""
    taken: Taken = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], taken, answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_message_arrives(hook: tuple[int, Taken, list[int]]) -> None:
    port, taken, _ = hook
    assert notify([f"json://127.0.0.1:{port}/"], "t", "b", wait_s=0.01) == []
    assert [(m["title"], m["message"]) for m in taken] == [("t", "b")]


def test_a_channel_that_fails_is_tried_again(hook: tuple[int, Taken, list[int]]) -> None:
    port, taken, answers = hook
    answers += [500, 500]
    assert notify([f"json://127.0.0.1:{port}/"], "t", "b", wait_s=0.01) == []
    assert len(taken) == 3


def test_a_channel_that_keeps_failing_is_named_without_its_credentials(hook: tuple[int, Taken, list[int]]) -> None:
    port, _, answers = hook
    answers += [500] * 3
    (line,) = notify([f"json://me:hidden@127.0.0.1:{port}/"], "t", "b", wait_s=0.01)
    assert line.address == f"json://me:hidden@127.0.0.1:{port}/"
    assert "did not take the message" in line.says
    assert "hidden" not in str(line)


def test_a_channel_that_nobody_knows_is_said() -> None:
    assert not known("carrier-pigeon://loft")
    assert "not known" in notify(["carrier-pigeon://loft"], "t", "b", wait_s=0.01)[0].says
