"""An explainer command at work on its pictures."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpret.errors import PictureError

from . import options
from .draw import Drawing
from .inputs import Source, output_stems, picture_hash
from .outputs import RAW, Outputs, stored_about, write_result
from .signatures import Method
from .targets import NotHere, Wanted, wanted_classes

if TYPE_CHECKING:
    from torch import Tensor

    from interpret.classifier import Classifier


@dataclass(frozen=True)
class Explained:
    """One attribution, and what there is to say about it."""

    stem: Path
    image: "Tensor"
    wanted: Wanted
    attribution: "Tensor"
    seen: "Tensor"
    about: dict[str, Any]


@dataclass
class Run:
    """One explainer command at work."""

    method: Method
    sources: list[Source]
    classifier: "Classifier"
    outputs: Outputs
    drawing: Drawing
    classes: dict[str, Any]
    method_options: dict[str, Any]
    settings: dict[str, Any]
    about: dict[str, Any] | None = None
    failed: int = 0

    def results(self) -> Iterator[Explained]:
        """Explain picture by picture; one that fails is reported and passed over."""
        from tqdm import tqdm

        choose = wanted_classes(self.classifier, self.classes)
        work = list(zip(self.sources, output_stems(self.sources), strict=True))
        hidden = self.settings["quiet"] or self.outputs.to_stdout or len(work) == 1
        for source, stem in tqdm(work, disable=hidden or None, leave=False, unit="picture"):
            try:
                yield from self._explained(source, stem, choose)
            except (PictureError, NotHere, RuntimeError) as error:
                # A RuntimeError is the network's own: too small a picture, or too large for memory.
                self.failed += 1
                options.note_failure(source.shown, error, self.settings["verbose"])

    def _explained(self, source: Source, stem: Path, choose: Any) -> Iterator[Explained]:
        classifier, image = self.classifier, source.read().to(self.classifier.mean.device)
        geometry = classifier.prepare(image)[1]
        if self.settings["size"] == "model":
            # Bicubic resizing overshoots; a picture does not.
            classifier, image = classifier.on_inputs(), geometry.apply(image).clamp(0, 1)
            geometry = classifier.prepare(image)[1]
        method_options = self._with_layer(classifier, image)
        for wanted in choose(image, classifier):
            for line in wanted.notes:
                options.note(f"{source.shown}: {line}", self.settings["quiet"])
            about = {
                **self.about,
                "options": method_options,
                "picture": source.shown,
                "picture_hash": picture_hash(image),
                "class": wanted.label,
                "explained": wanted.about,
            }
            if not self._done(stem, wanted, about):
                attribution = self._attribution(classifier, image, wanted, method_options)
                self._say_what_is_wrong(source, classifier, image, wanted, method_options, attribution)
                yield Explained(stem, image, wanted, attribution, geometry.seen(), about)

    def _with_layer(self, classifier: "Classifier", image: "Tensor") -> dict[str, Any]:
        """The method's options with the layer that it looks at, also where that is the default one."""
        from interpret.explainers.contract import layer_of, on_input_grid

        if "layer" not in self.method_options:
            return self.method_options
        view, inputs, _ = on_input_grid(classifier, image)
        return {**self.method_options, "layer": layer_of(view, inputs, self.method_options["layer"])}

    def _attribution(
        self, classifier: "Classifier", image: "Tensor", wanted: Wanted, method_options: dict[str, Any]
    ) -> "Tensor":
        import torch

        from interpret.explainers import explainer_named
        from interpret.smoothing import smoothed

        explainer = explainer_named(self.method.name)
        torch.manual_seed(self.settings["seed"])
        if self.settings["smooth"]:
            times = self.settings["smooth"]
            return smoothed(explainer, classifier, image, wanted.target, times=times, **method_options)
        return explainer(classifier, image, wanted.target, **method_options)

    def _say_what_is_wrong(
        self,
        source: Source,
        classifier: "Classifier",
        image: "Tensor",
        wanted: Wanted,
        method_options: dict[str, Any],
        attribution: "Tensor",
    ) -> None:
        """One sentence on a map that would be blank, and, if asked for more, on the evidence against the class."""
        from interpret.diagnosis import diagnose

        (found,) = diagnose(attribution)
        if found.kind == "zero" and method_options.get("relu"):
            # What the ReLU has cut away says why nothing is left.
            uncut = self._attribution(classifier, image, wanted, {**method_options, "relu": False})
            (found,) = diagnose(uncut)
        if found.kind != "fine" or self.settings["verbose"]:
            options.note(f"{source.shown}: {wanted.label}: {found.sentence}", self.settings["quiet"])

    def _done(self, stem: Path, wanted: Wanted, about: dict[str, Any]) -> bool:
        """Whether an earlier run made this result; one made from something else is an error."""
        path = self.outputs.place(stem, self.method.name, wanted.label)
        if not self.settings["no_clobber"] or path is None or not path.exists():
            return False
        before = stored_about(path)
        if before is None:
            options.note(f"{path} does not say how it was made; it is left as it is", self.settings["quiet"])
        # The same pictures and weights may be called otherwise, and be explained by another version.
        free = ("picture", "model", "weights", "versions")
        differing = [key for key in about if before and key not in free and before.get(key) != about[key]]
        if differing:
            raise PictureError(
                f"{path} was made with another {differing[0]} and is left alone; write elsewhere with -o"
            )
        if self.settings["raw"] and not path.with_suffix(".npz").exists():
            return False
        self._tell(path, about)
        return True

    def write(self, result: Explained, limit: float) -> None:
        """Write one result and say where it is."""
        path = self.outputs.place(result.stem, self.method.name, result.wanted.label)
        raw = {"attribution": result.attribution[0].cpu().numpy(), "seen": result.seen.numpy()}
        if path is not None and path.suffix.lower() in RAW:
            write_result(path, raw, result.about)
        else:
            words = {
                "title": result.wanted.prediction,
                "caption": f"{self.method.title.split(' (')[0]}: {result.wanted.label}",
                "unit": result.wanted.unit,
            }
            drawn = self.drawing.draw(result.image, result.attribution, result.seen, limit, words)
            write_result(path, drawn, result.about)
            if self.settings["raw"] and path is not None:
                write_result(path.with_suffix(".npz"), raw, result.about)
                self._tell(path.with_suffix(".npz"), result.about)
        if path is not None:
            self._tell(path, result.about)

    def _tell(self, path: Path, about: dict[str, Any]) -> None:
        options.tell(json.dumps({"path": str(path), **about}) if self.settings["as_json"] else str(path))
