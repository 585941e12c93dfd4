"""Runs the service: everything it needs is in its environment."""

from stack.services.common.server import serve
from stack.services.notification.app import build

if __name__ == "__main__":
    serve("notification", build, default_port=8084)
