"""`interp evaluate accuracy`."""

import json

from ...job.processes import joined, own_share
from ...options.messages import Messages, tell
from ...options.network import ModelOptions, fold_option
from ...options.output import json_option
from ...options.record import command
from .labelled import FolderOptions, fail_option, leave, open_data, share_in_words, share_of


@command(short_help="The share of pictures that are classified right.")
def accuracy(
    *,
    data: FolderOptions,
    fail_under: float | None = fail_option(),
    fold: bool = fold_option(),
    model: ModelOptions,
    as_json: bool = json_option(),
    messages: Messages,
) -> None:
    """The share of a FOLDER's pictures that are classified right, with its 95 % interval."""
    with joined(model.device, messages) as messages:
        from attacks import distributed

        classifier = model.open(fold=fold, tiles=True)
        pictures = open_data(data, classifier, messages)
        pictures.files = own_share(pictures.files)
        view = classifier.on_inputs()
        right = list(pictures.each(lambda _, images, labels: (view.predict(images) == labels).tolist()))
        counted = sum(right), len(right), pictures.failed
        right, count, failed = map(sum, zip(*distributed.gathered(counted), strict=True))
        result = share_of(right, count)
        if distributed.rank() == 0:
            tell(json.dumps(result) if as_json else f"top-1 {share_in_words(result)}")
        leave(failed, fail_under, result["share"])
