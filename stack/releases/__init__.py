"""Shipped releases of the services, beside the current ones: each is code of its own, chosen by version."""
