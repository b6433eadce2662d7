"""Duly: the first read of what is to be confirmed."""

import app
from bench.cold.request import ask

ask(app.app)
