"""Lamina: a multi-level IR deep learning compiler."""
