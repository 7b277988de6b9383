"""The machine that a pass's `target` option names."""

from xdsl.utils.exceptions import PassFailedException

from lamina.backends.machine import Machine, UnknownTarget, describe


def machine_of(target: str, by: str) -> Machine:
    """Describe `target`; an unknown one is an error of pass `by`."""
    try:
        return describe(target)
    except UnknownTarget as e:
        raise PassFailedException(f"{by}: {e}") from e
