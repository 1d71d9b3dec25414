"""What an attack on pictures is asked to do, beside its own settings."""

from dataclasses import dataclass

from ...options.classes import class_option
from ...options.numbers import Number
from ...options.pictures import seed_option
from ...options.record import option
from ...options.safety import NetworkName, Written


@dataclass(frozen=True)
class AttackOptions:
    """What every attack command takes besides the attack's own options."""

    label: str | None = class_option(
        "What is really in the pictures; by default what the network says. Where the network is wrong already, "
        "nothing is attacked."
    )
    target: str | None = class_option("What the network is to see instead; by default anything else.")
    quantize: bool = option(
        "Stay on the levels of an 8-bit file, so that the PNG is exactly what was found.", default=True
    )
    all_steps: bool = option("Take every step; by default a picture is left alone once it fools.")
    seed: int = seed_option()
    figure: bool | None = option(
        "Draw the picture before and after, the change magnified, and where the network looked; by default "
        "for one picture."
    )
    jpeg: int | None = option(
        "Tell whether the result still fools as a JPEG of this quality.", type=Number(1, 100), metavar="QUALITY"
    )
    through: str | None = option(
        "Tell whether the result still fools after each of these: jpeg, resize, blur, noise; such as "
        "resize,jpeg:75,blur.",
        metavar="LIST",
    )
    judge: tuple[str, ...] = option(
        "Tell whether another network is fooled, too, by what was made for -m; may be repeated. For several pictures "
        "a table counts how many fool each.",
        metavar="NAME|FILE",
        type=NetworkName(),
    )
    start: str | None = option(
        "A picture to begin from, such as one of the --target, for an attack that walks from there (hopskipjump).",
        metavar="PICTURE",
    )
    csv: str | None = option("Also write the verdicts to this file, picture by picture.", type=Written(dir_okay=False))
    require_success: bool = option("Exit with status 3 if the network is not fooled by some picture.")
