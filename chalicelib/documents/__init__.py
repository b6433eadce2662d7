"""Papers and files: rendered, checked, kept in the bucket."""
