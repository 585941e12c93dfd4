"""The entitlement service."""
