"""What went wrong, for people who use lamina rather than change it: one line that says why."""


class LaminaError(Exception):
    """A model, an artifact or an input cannot be used."""


class InputValueError(LaminaError, ValueError):
    """An input has the wrong name or shape."""


class InputTypeError(LaminaError, TypeError):
    """An input is no array of the right type."""
