"""What went wrong, for people who use lamina rather than change it."""


class LaminaError(Exception):
    """A model, an artifact or an input cannot be used; the message is one line that says why."""
