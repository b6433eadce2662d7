"""AWS behind the ports: no other package imports botocore, this one when a client is first used."""
