"""The OpenCL back end: a vector is a subgroup."""
