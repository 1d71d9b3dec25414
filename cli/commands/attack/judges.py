"""Who else is fooled: what was made on one network, judged by others."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from interpret.errors import InterpretError

from ...options.network import ModelOptions, network_name

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier


@dataclass
class Judges:
    """Networks that take no part in an attack, and what they have said of its pictures so far."""

    classifiers: "dict[str, Classifier]"  # by name
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Sequence[str], model: ModelOptions, attacked: "Classifier") -> "Judges":
        """The networks of these names, on the device of the one that is attacked; they must know the same classes."""
        found = {network_name(name, names): model.beside(name).open(tiles=True) for name in dict.fromkeys(names)}
        for name, classifier in found.items():
            if list(classifier.labels) != list(attacked.labels):
                raise InterpretError(f"--judge {name}: it has other classes than the network that is attacked")
        return cls(found, {name: [] for name in found})

    def on(self, image: "Tensor", found: "Tensor", labels: "Tensor", targeted: bool) -> dict[str, dict[str, Any]]:
        """What each says of a picture before and after the attack, by its name."""
        from attacks.evaluation.verdicts import judge

        told = {}
        for name, classifier in self.classifiers.items():
            verdict = judge(classifier, image, found, labels, targeted=targeted)[0]
            told[name] = {
                "right": verdict.right,
                "success": verdict.success,
                "before": verdict.before,
                "after": verdict.after,
                "after_name": classifier.name(verdict.after),
                "after_probability": round(verdict.after_probability, 4),
            }
            self.said[name].append(told[name])
        return told

    def take_up(self, told: dict[str, dict[str, Any]]) -> bool:
        """Count what an earlier run was told of a picture; False if it did not ask the same networks."""
        if set(told) != set(self.said):
            return False
        for name, verdict in told.items():
            self.said[name].append(verdict)
        return True

    def table(self, as_json: bool) -> Iterator[str]:
        """A line for each: on how many of the pictures that it saw right it is fooled, with the interval of this."""
        from attacks.evaluation.robust_accuracy import interval

        for name, verdicts in self.said.items():
            right, fooled = (sum(verdict[kind] for verdict in verdicts) for kind in ("right", "success"))
            share = fooled / right if right else None
            low, high = interval(fooled, right) if right else (None, None)
            if as_json:
                row = {"judge": name, "fooled": fooled, "right": right, "share": share, "low": low, "high": high}
                yield json.dumps(row)
            elif right:
                bounds = f"{100 * low:.1f}-{100 * high:.1f} %"
                yield f"{name:24} fooled on {100 * share:5.1f} % ({fooled} of {right}, 95 % interval {bounds})"
            else:
                yield f"{name:24} saw none of the pictures right before"
