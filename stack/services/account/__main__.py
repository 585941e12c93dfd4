"""Runs the service: everything it needs is in its environment."""

from stack.services.account.app import build
from stack.services.common.server import serve

if __name__ == "__main__":
    serve("account", build, default_port=8081)
