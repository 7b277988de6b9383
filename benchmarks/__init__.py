"""What the compiler is measured on; run its modules from the root of the repository."""
