"""The OpenCL back end: kernels for devices with subgroups, as text."""
