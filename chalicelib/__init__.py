"""Duly: client consents and complaints of insurance agencies and insurers."""
