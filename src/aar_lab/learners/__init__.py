"""Strong students: one protocol, a tiny transformer for the CPU behind it."""
