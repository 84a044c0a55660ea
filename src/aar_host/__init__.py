"""The trusted side: labels, store, keys, money. Never mounted in a sandbox."""
