"""References against which a method is measured: weak supervisor, ceiling, baselines."""
