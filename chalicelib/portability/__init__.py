"""Everything about a client, for the client: asked for, made in the background, handed over."""
