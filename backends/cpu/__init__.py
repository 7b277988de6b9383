"""The CPU back end: LLVM IR, objects, and calling them."""
