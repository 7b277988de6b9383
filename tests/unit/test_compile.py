"""lamina.compile: from every kind of model to the same numbers, and the cache of whole models."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import lamina
from lamina import model_cache, steps
from lamina.errors import LaminaError
from lamina.model_cache import ModelCache, files_of, fingerprint, model_key
from lamina.passes import pipelines
from tests.unit.tiny import close, reference, tiny_model

X = np.random.default_rng(3).standard_normal((1, 3, 12, 12)).astype(np.float32)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    # who changes lamina while its tests run finds nothing in the cache
    monkeypatch.setattr(model_cache, "fingerprint", lambda: "as it was")
    monkeypatch.setenv("LAMINA_CACHE", str(folder))
    return folder / "models"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(tiny_model(), tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def test_path_proto_and_module_give_the_reference_result(path: Path) -> None:
    want = reference(tiny_model(), {"data": X})["prob"]
    ctx, module = steps.read(path)
    before, keys = str(module), set(ctx.weights)
    models = [
        lamina.compile(path),
        lamina.compile(str(path), cache=False, verify=True),
        lamina.compile(tiny_model()),
        lamina.compile(module, weights=ctx.weights),
        lamina.compile(module, weights=ctx.weights),
    ]
    assert (str(module), set(ctx.weights)) == (before, keys)
    for model in models:
        assert close(model(X), want)
        assert close(model.run({"data": X})["prob"], want)
    assert not np.array_equal(models[0](X), models[0](-X))


def test_saved_model_loads(path: Path, tmp_path: Path) -> None:
    model = lamina.compile(path)
    model.save(tmp_path / "tiny.lam")
    assert np.array_equal(lamina.load(tmp_path / "tiny.lam")(X), model(X))
    with pytest.raises(LaminaError, match=r"tiny\.lam: is compiled already; lamina\.load reads it"):
        lamina.compile(tmp_path / "tiny.lam")


@pytest.mark.parametrize("target", ["cpu:haswell", "cpu:x86-64"])
def test_named_cpu_gives_the_reference_result(path: Path, target: str) -> None:
    want = reference(tiny_model(), {"data": X})["prob"]
    assert close(lamina.compile(path, target=target)(X), want)


def test_open_shape_is_set(tmp_path: Path) -> None:
    model = tiny_model()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "N"
    with pytest.raises(LaminaError, match="data"):
        lamina.compile(model)
    x = np.concatenate([X, -X])
    compiled = lamina.compile(model, shapes={"data": x.shape})
    assert close(compiled(x), reference(model, {"data": x})["prob"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "a model needs at least 1 thread, got threads=0"),
        ({"target": "cpu:haswel"}, "unknown target 'cpu:haswel'; did you mean cpu:haswell"),
        ({"target": "opencl:intel-xe", "threads": 2}, "threads=2 are those of a CPU, found target"),
        ({"shapes": {"x": (1, 3, 12, 12)}}, "x"),
        ({"numerics": "exact"}, "numerics are fast or strict, found 'exact'"),
        ({"requantize": "int"}, "requantize is float or fixed, found 'int'"),
        ({"layouts": "NHWC"}, "layouts are one of exact, .*, found 'NHWC'"),
    ],
)
def test_options_are_checked(path: Path, options: dict, message: str) -> None:
    with pytest.raises(LaminaError, match=message):
        lamina.compile(path, **options)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaminaError, match=r"cannot read '.*no\.onnx': No such file"):
        lamina.compile(tmp_path / "no.onnx")


def test_garbage_collection_is_as_it_was(path: Path) -> None:
    lamina.compile(path, cache=False)
    assert gc.isenabled()
    with pytest.raises(LaminaError):
        lamina.compile(path, cache=False, shapes={"x": (1,)})
    assert gc.isenabled()


def test_import_is_light() -> None:
    """The names are there, but what they need is not imported yet."""
    code = (
        "import sys, lamina\n"
        "assert {'compile', 'load', 'CompiledModel', 'LaminaError'} <= set(dir(lamina))\n"
        "assert lamina.__version__\n"
        "assert not {'numpy', 'xdsl', 'llvmlite', 'onnx'} & set(sys.modules), sys.modules\n"
        "assert lamina.LaminaError.__name__ == 'LaminaError'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="module 'lamina' has no attribute 'complie'"):
        lamina.complie  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_module_on_any_level_goes_through_the_rest(path: Path) -> None:
    """A module says itself where it is: `lamina run` takes what `lamina-opt` made."""
    names = [p.name for p in pipelines.default("cpu")]
    for level in pipelines.LEVELS:
        _, module = steps.lowered(path, "cpu", level)
        rest = [p.name for p in steps.remaining(module, "cpu")]
        assert rest == names[len(names) - len(rest) :]
        again = ["int8-expand", "int8-group-products", "int8-lower-dot4"]
        again += ["vec-transpose-loads", "vec-prefetch"]
        assert (level == "vector") == (rest == again)
    assert [p.name for p in steps.remaining(steps.read(path)[1], "cpu")] == names


# -- the cache


def test_network_without_operators_is_a_copy() -> None:
    info = [helper.make_tensor_value_info(v, TensorProto.FLOAT, [2, 3]) for v in ("x", "y")]
    node = helper.make_node("Identity", ["x"], ["y"])
    graph = helper.make_graph([node], "g", info[:1], info[1:])
    opsets = [helper.make_opsetid("", 17)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(lamina.compile(proto, cache=False)(x), x)


def is_cached(path: Path, **options: object) -> bool:
    """Whether compiling needs none of the steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "compile_model", lambda *args, **options: 1 / 0)
        try:
            lamina.compile(path, **options)  # pyright: ignore[reportArgumentType]
        except ZeroDivisionError:
            return False
    return True


def test_second_compile_is_from_the_cache(path: Path, cache: Path) -> None:
    first = lamina.compile(path)
    assert [p.suffix for p in cache.iterdir()] == [".lam"]
    assert is_cached(path)
    assert np.array_equal(lamina.compile(path)(X), first(X))


def test_other_model_target_or_shape_is_compiled_anew(path: Path) -> None:
    lamina.compile(path)
    assert not is_cached(path, target="cpu:haswell")
    assert not is_cached(path, requantize="fixed")
    assert not is_cached(path, shapes={"data": (1, 3, 12, 12)})
    assert not is_cached(path, cache=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_cache, "fingerprint", lambda: "with another pass")
        assert not is_cached(path)
    assert is_cached(path)
    onnx.save(tiny_model(channels=32), path)
    assert not is_cached(path)


def test_no_cache_keeps_nothing(path: Path, cache: Path) -> None:
    lamina.compile(path, cache=False)
    assert not list(cache.parent.iterdir())


def test_other_external_data_is_compiled_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    name = "weights, far from the model.bin" + "-" * 120  # its length takes two bytes
    onnx.save(tiny_model(), path, save_as_external_data=True, location=name, size_threshold=0)
    assert files_of(path) == [path, tmp_path / name]
    before = lamina.compile(path)
    assert is_cached(path)
    data = np.fromfile(tmp_path / name, np.float32)
    (2 * data).tofile(tmp_path / name)
    assert not is_cached(path)
    assert not np.allclose(lamina.compile(path)(X), before(X))


def test_other_source_code_has_another_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "passes").symlink_to("../real")
    source = tmp_path / "real" / "fold.py"
    monkeypatch.setattr(lamina, "__path__", [str(tmp_path / "package")])
    found = set()
    for text in ("x = 1", "x = 2", "x = 1"):
        source.write_text(text)
        found.add(fingerprint())
    source.rename(tmp_path / "real" / "fuse.py")
    assert len(found | {fingerprint()}) == 3


def test_key_depends_on_every_part(path: Path) -> None:
    keys = {model_key([path], *o) for o in [("a", "b"), ("ab",), ("a",), ()]}
    assert len(keys | {model_key([path, path], "a")}) == 5


def test_damaged_entry_is_compiled_anew(path: Path, cache: Path) -> None:
    want = lamina.compile(path)(X)
    (entry,) = cache.iterdir()
    entry.write_bytes(entry.read_bytes()[:-1])
    assert not is_cached(path)
    assert np.array_equal(lamina.compile(path)(X), want)
    assert is_cached(path)


def test_cache_keeps_what_was_used_last(path: Path, tmp_path: Path) -> None:
    model = lamina.compile(path, cache=False)
    model.save(tmp_path / "size.lam")
    size = (tmp_path / "size.lam").stat().st_size
    kept = ModelCache(tmp_path / "kept", limit=2 * size)
    for age, key in enumerate("abc"):
        kept.put(key, model)
        if key != "c":
            os.utime(kept.folder / f"{key}.lam", (age, age))
        if key == "b":
            assert kept.get("a") is not None
    assert [kept.get(key) is not None for key in "abc"] == [True, False, True]
    only_new = ModelCache(tmp_path / "small", limit=0)
    only_new.put("a", model)
    assert only_new.get("a") is not None


def test_cache_that_cannot_be_written_is_done_without(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(model_cache, "default_folder", lambda: tmp_path / "file")
    assert lamina.compile(path)(X).shape == (1, 10)


# -- models that cannot be compiled


def test_unsupported_operators_are_listed_with_their_nodes() -> None:
    model = tiny_model()
    model.graph.node.append(helper.make_node("Det", ["prob"], ["d"], "my det"))
    model.graph.output.append(helper.make_tensor_value_info("d", TensorProto.FLOAT, []))
    with pytest.raises(LaminaError, match=r"Det.*my det"):
        lamina.compile(model)


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_truncated_file_is_refused(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(LaminaError, match=path.name) as e:
        lamina.compile(path)
    assert "\n" not in str(e.value)


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_text(json.dumps({"not": "a model"}))
    with pytest.raises(LaminaError, match=r"model\.onnx"):
        lamina.compile(tmp_path / "model.onnx")
