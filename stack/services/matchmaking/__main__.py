"""Runs the service: everything it needs is in its environment."""

from stack.services.common.server import serve
from stack.services.matchmaking.app import build

if __name__ == "__main__":
    serve("matchmaking", build, default_port=8083)
