"""The base of rewrites that read constants, or make new ones."""

from __future__ import annotations

from xdsl.pattern_rewriter import RewritePattern

from lamina.weights import WeightStore


class StorePattern(RewritePattern):
    """A pattern that reads and makes weights."""

    def __init__(self, store: WeightStore) -> None:
        self.store = store
