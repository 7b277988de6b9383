"""A network on several devices: regions of it, each compiled for one, and what goes between."""
