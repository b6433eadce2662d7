"""The local cloud: what `make run` starts on this machine in place of an AWS account."""
