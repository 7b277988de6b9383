"""What calls keep for the next ones."""

from lamina.backends.spares import Spares


def test_what_was_given_is_taken_again_and_only_once() -> None:
    pool, made = Spares[list[int]](), list[list[int]]()

    def make() -> list[int]:
        made.append([])
        return made[-1]

    first, second = pool.take(make), pool.take(make)
    assert first is not second
    pool.give(first)
    assert pool.take(make) is first
    pool.take(make)
    assert len(made) == 3
