"""The destination service."""
