"""Runs the service: everything it needs is in its environment."""

from stack.services.common.server import serve
from stack.services.gateway_bff.app import build

if __name__ == "__main__":
    serve("gateway-bff", build, default_port=8080)
