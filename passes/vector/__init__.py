"""Passes on the `vector` level."""
