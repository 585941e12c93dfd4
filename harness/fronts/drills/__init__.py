"""Drills: something unnamed is broken, somebody is paged, and what they do is worth points."""
