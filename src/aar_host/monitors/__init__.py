"""Monitors: what watches researchers and reads their sources, by rules and by a language model."""
