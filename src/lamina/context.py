"""What every pass is handed as `ctx`: xDSL's context, and the store of weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.universe import Universe
from xdsl.utils.exceptions import PassFailedException

from lamina.weights import WeightStore


@dataclass
class LaminaContext(Context):
    """A context with a weight store and recorded schedules; a clone shares both."""

    weights: WeightStore = field(default_factory=WeightStore)
    schedules: Mapping[str, str] = field(default_factory=dict[str, str])
    """the text of a te op by itself -> the schedule that was measured to be fastest"""

    def clone(self) -> LaminaContext:
        """A context that can be changed apart from this one."""
        return LaminaContext(
            **vars(super().clone()), weights=self.weights, schedules=self.schedules
        )


def new_context(weights: WeightStore | None = None) -> LaminaContext:
    """A context that knows every installed dialect; each is imported when it is first used."""
    ctx = LaminaContext(weights=weights if weights is not None else WeightStore())
    for name, dialect in Universe.get_multiverse().all_dialects.items():
        ctx.register_dialect(name, dialect)
    return ctx


def weights_of(ctx: Context) -> WeightStore:
    """The weight store of `ctx`, for a pass that needs one."""
    if not isinstance(ctx, LaminaContext):
        raise PassFailedException(
            f"needs lamina.context.LaminaContext, which has the weights, got {type(ctx).__name__}; "
            "run this pass with lamina-opt"
        )
    return ctx.weights
