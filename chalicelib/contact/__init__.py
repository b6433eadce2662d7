"""May this be sent to this person, by this channel, for this reason? The only door to a letter."""
