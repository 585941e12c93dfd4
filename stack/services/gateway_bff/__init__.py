"""The gateway-bff service."""
