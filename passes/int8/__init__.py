"""Passes on the `int8` level."""
