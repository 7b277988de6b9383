"""Passes on the `te` level."""
