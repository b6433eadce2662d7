"""All clients and their consents as files to take away: above consents, below nobody."""
