"""Named, read-only measurements of the reference system, by the part that they speak of."""
