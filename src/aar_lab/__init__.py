"""All that a researcher may touch; the only project code mounted in a sandbox."""
