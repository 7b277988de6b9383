"""Readers of model files."""

if __name__ != "lamina.frontends":
    raise ImportError(f"import 'lamina.frontends', not '{__name__}'")
