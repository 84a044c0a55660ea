"""Problems: generators of data, split into public and private. Never mounted in a sandbox."""
