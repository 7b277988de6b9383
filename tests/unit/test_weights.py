"""The weight store: content keys, promises, files."""

from pathlib import Path

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.utils.exceptions import PassFailedException

from lamina.context import LaminaContext, weights_of
from lamina.weights import WeightError, WeightStore

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_equal_arrays_have_one_key() -> None:
    store = WeightStore()
    assert store.put(X) == store.put(X.T.copy().T)
    assert len(store) == 1


def test_key_depends_on_type_shape_and_content() -> None:
    store = WeightStore()
    others = [X.reshape(3, 2), X.view(np.int32), X + 1, np.float32(0), np.zeros((0, 3))]
    keys = {store.put(np.asarray(a)) for a in (X, *others)}
    assert len(keys) == 6
    assert all(len(k) == 16 for k in keys)


def test_kept_array_cannot_be_written() -> None:
    store = WeightStore()
    with pytest.raises(ValueError, match="read-only"):
        store.get(store.put(X))[0, 0] = 1


def test_missing_key_is_named() -> None:
    store = WeightStore()
    store.put(X)
    with pytest.raises(WeightError, match=r"no weight 0123456789abcdef: the store holds 1 others"):
        store.get("0123456789abcdef")


def test_derived_weight_is_made_once_and_only_when_asked_for() -> None:
    store, made = WeightStore(), []

    def make() -> np.ndarray:
        made.append(1)
        return X.T.copy()

    key = store.put(X)
    derived = store.derive("transpose [1, 0]", [key], make)
    assert store.derive("transpose [1, 0]", [key], make) == derived
    assert derived != store.derive("transpose [0, 1]", [key], make)
    assert not made
    np.testing.assert_array_equal(store.get(derived), X.T)
    store.get(derived)
    assert len(made) == 1


def test_retain_forgets_the_others() -> None:
    store = WeightStore()
    keys = [store.put(X + i) for i in range(3)]
    store.retain(keys[:1])
    assert list(store) == keys[:1]


def test_weight_that_can_be_read_again_is_not_kept() -> None:
    store, read = WeightStore(), []

    def again() -> np.ndarray:
        read.append(1)
        return X.copy()

    key = store.put(X, again)
    assert WeightStore().put(X) == key
    for times in (1, 2):
        np.testing.assert_array_equal(store.get(key), X)
        assert len(read) == times
    with pytest.raises(ValueError, match="read-only"):
        store.get(key)[0, 0] = 1


def test_moved_weights_lie_in_their_places_and_nothing_else_is_kept() -> None:
    store = WeightStore()
    source = store.put(X)
    small = store.derive("first row", [source], lambda: store.get(source)[:1])
    large = store.derive("transpose", [source], lambda: store.get(source).T)
    places = {small: np.empty((1, 3), np.float32), large: np.empty((3, 2), np.float32)}
    store.move(places)
    np.testing.assert_array_equal(places[small], X[:1])
    np.testing.assert_array_equal(places[large], X.T)
    assert np.shares_memory(store.get(large), places[large])
    assert set(store) == {small, large}


def test_sources_are_forgotten_as_soon_as_nothing_needs_them() -> None:
    store, alive = WeightStore(), []
    keys = []
    for k in range(3):
        source = store.put(X + k)

        def make(source: str = source) -> np.ndarray:
            alive.append(len(store._arrays))
            return store.get(source) * 2

        keys.append(store.derive("twice", [source], make))
    store.move({key: np.empty_like(X) for key in keys})
    assert alive == [3, 3, 3]  # a source less, a result more


def test_place_of_another_shape_is_refused() -> None:
    store = WeightStore()
    key = store.put(X)
    with pytest.raises(WeightError, match=r"needs float32\[1, 3\], got float32\[2, 3\]"):
        store.move({key: np.empty((1, 3), np.float32)})


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i4", "i8", "?"])
def test_saved_weights_come_back(dtype: str, tmp_path: Path) -> None:
    store, path = WeightStore(), tmp_path / "w.safetensors"
    keys = [store.put(a) for a in (X.astype(dtype), np.ones((), dtype), np.ones((0, 2), dtype))]
    store.save(path)
    other = WeightStore()
    other.load(path)
    for key in keys:
        np.testing.assert_array_equal(other.get(key), store.get(key))
        assert other.get(key).dtype == store.get(key).dtype
        assert other.put(other.get(key)) == key


def test_saved_file_is_readable_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    WeightStore().save(tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    store = WeightStore()
    with pytest.raises(WeightError):
        store.save(tmp_path / "w.safetensors", ["0" * 16])
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        store.save(tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("keep", [0, 4, 20, -3])
def test_damaged_file_is_refused(keep: int, tmp_path: Path) -> None:
    store, path = WeightStore(), tmp_path / "w.safetensors"
    store.put(X)
    store.save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightError, match="safetensors"):
        WeightStore().load(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightError, match=r"cannot read weights from .*none.safetensors: No such"):
        WeightStore().load(tmp_path / "none.safetensors")


def test_clone_of_the_context_shares_the_store() -> None:
    ctx = LaminaContext(allow_unregistered=True)
    clone = ctx.clone()
    assert type(clone) is LaminaContext
    assert weights_of(clone) is weights_of(ctx)
    assert clone.allow_unregistered


def test_plain_context_is_refused_with_advice() -> None:
    with pytest.raises(PassFailedException, match="got Context; run this pass with lamina-opt"):
        weights_of(Context())
