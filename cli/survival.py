"""What `--through` names: transforms, each with a strength."""

from attacks.errors import AttackError
from interpret.errors import InterpretError, did_you_mean


def parse(through: str | None, jpeg: int | None) -> list[tuple[str, float]]:
    """The transforms to try, from "resize,jpeg:75,blur" and a quality of JPEG.

    Raises:
        InterpretError: a transform that does not exist, or a strength out of its range.
    """
    words = [word.strip() for word in (through or "").split(",") if word.strip()]
    return [_named(word) for word in words] + ([("jpeg", float(jpeg))] if jpeg else [])


def _named(word: str) -> tuple[str, float]:
    from attacks.transforms.robust_to import TRANSFORMS, checked_strength

    name, _, strength = word.partition(":")
    try:
        return name, checked_strength(name, float(strength) if strength else None)
    except (AttackError, ValueError) as error:
        hint = did_you_mean(name, TRANSFORMS) if name not in TRANSFORMS else ""
        raise InterpretError(f"--through {word}: {error}{hint}") from error
