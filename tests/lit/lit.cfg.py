import os
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parents[1]
# always this checkout, whatever else is installed; and the format by name, for lit's workers
sys.path[:0] = [str(root / "src"), str(here)]

from lamina_format import LaminaTest  # noqa: E402

config.name = "lamina"
config.suffixes = [".mlir"]
config.excludes = ["inputs"]
config.test_format = LaminaTest(
    shell=bool(lit_config.params.get("shell")), mutate=bool(lit_config.params.get("mutate"))
)
config.test_source_root = str(here)
config.test_exec_root = str(root / "build" / "lit")
config.environment["PYTHONPATH"] = str(root / "src")
config.environment["PYTHONHASHSEED"] = "0"
config.environment["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), config.environment["PATH"]]
)
