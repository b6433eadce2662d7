"""AWS behind the ports: the only package that imports botocore, and only when a client is first used."""
