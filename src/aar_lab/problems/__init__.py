"""Public bundles: what a researcher may read of a problem."""
