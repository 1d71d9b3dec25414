"""Adversarial training in one call from Python."""

import numpy
import pytest
import torch
from PIL import Image

import attacks
from attacks import AttackError
from attacks.training.accuracies import thorough
from attacks.training.defenses.nfgsm import nfgsm
from attacks.training.samples import as_data, labels_of
from attacks.training.steps import _order
from tests.attacks.training.tiny_training import EPS, Bars, batch_of, keeping, net, run_of

QUICK = {"eps": EPS, "epochs": 2, "batch_size": 32, "learning_rate": 0.01}


class Pictures(torch.utils.data.Dataset):
    """A data set of one's own: items of any form."""

    def __init__(self, count, form=lambda image, number: image):
        bars = Bars(count)
        images = (form(image, number) for number, image in enumerate(bars.images))
        self.items = list(zip(images, bars.labels.tolist(), strict=True))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, number):
        return self.items[number]


def of_a_size_of_its_own(image, number):
    return torch.nn.functional.interpolate(image[None], (6 + number % 3, 6 + number % 5))[0]


def picture(image, number):
    return Image.fromarray((image[0] * 255).byte().numpy())


@pytest.mark.parametrize("form", [lambda image, number: image, of_a_size_of_its_own, picture])
def test_any_data_set_of_torch_is_taken(form):
    network, seen = net(), []
    history = attacks.train(network, Pictures(96, form), Bars(32, seed=1), watch=seen.append, size=(6, 6), **QUICK)
    assert [row["epoch"] for row in history.rows] == [1, 2] and history.best in (1, 2) and len(seen) > 2
    assert not network.training and history.rows[history.best - 1]["clean"] >= 0.5
    assert set(history.judge(Pictures(40))) == {"clean", "fgsm", "pgd50"}


def test_the_network_has_the_weights_of_the_best_epoch():
    network, bars, held = net(), Bars(96), Bars(64, seed=1)
    history = attacks.train(network, (bars.images, bars.labels), (held.images, held.labels), **QUICK)
    assert history.judge(held)["clean"] == history.rows[history.best - 1]["clean"]
    assert history.judge(held) == thorough(history.model, held, EPS, device=torch.device("cpu"), batch_size=64)


def test_a_run_is_kept_and_goes_on(tmp_path):
    whole, parts, bars = net(), net(), Bars(64)
    torch.manual_seed(0)
    attacks.train(whole, bars, Bars(32, seed=1), **QUICK)
    stopped = []

    def stop(event):
        stopped.append(event)
        if len(stopped) == 3:
            raise RuntimeError("out of power")

    torch.manual_seed(0)
    with pytest.raises(RuntimeError, match="power"):
        attacks.train(parts, bars, Bars(32, seed=1), folder=tmp_path, watch=stop, **QUICK)
    with pytest.raises(AttackError, match="--resume|there already"):
        attacks.train(net(), bars, Bars(32, seed=1), folder=tmp_path, **QUICK)
    again = net(seed=5)
    attacks.train(again, bars, Bars(32, seed=1), folder=tmp_path, resume=True, **QUICK)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
    with pytest.raises(AttackError, match="no run to go on with"):
        attacks.train(net(), bars, resume=True, folder=tmp_path / "none", **QUICK)


@pytest.mark.parametrize(
    "wrong, said",
    [
        (dict(defense="prayer"), "no defense"),
        (dict(stepps=3), "no choice 'stepps'"),
        (dict(beta=3.0), "no choice 'beta'"),
        (dict(data=[]), "no images"),
        (dict(data=3), "not int"),
        (dict(validation=1.5), "leaves none"),
        (dict(label_smoothing=1.5), "label_smoothing"),
        (dict(data=(torch.ones(8, 1, 6, 6) * 3, torch.arange(8) % 2)), "images lie in"),
        (dict(data=(torch.ones(8, 1, 6, 6), torch.arange(7) % 2)), "no pairs"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(wrong, said):
    chosen = {"data": Bars(32), "validation": None, **QUICK, **wrong}
    with pytest.raises(AttackError, match=said):
        attacks.train(net(), chosen.pop("data"), chosen.pop("validation"), **chosen)


def test_forms_of_pictures():
    grey, colour = numpy.full((4, 5), 51, numpy.uint8), numpy.full((4, 5, 3), 51, numpy.uint8)
    for item, shape in ((grey, (1, 4, 5)), (colour, (3, 4, 5)), (torch.full((3, 4, 5), 51).byte(), (3, 4, 5))):
        images, labels = as_data([(item, 1), (item, 0)]).batch(torch.tensor([1, 0]))
        assert images.shape == (2, *shape) and torch.allclose(images, torch.tensor(0.2)) and labels.tolist() == [0, 1]
    with pytest.raises(AttackError, match="channels"):
        as_data([(grey, 1), (colour, 0)]).batch(torch.arange(2))


def test_every_class_is_drawn_as_often():
    data = as_data((torch.zeros(100, 1, 2, 2), torch.tensor([0] * 90 + [1] * 10)))
    assert labels_of(data).bincount().tolist() == [90, 10]
    drawn = torch.cat([_order(data, torch.Generator().manual_seed(seed), True) for seed in range(20)])
    assert 0.45 < labels_of(data)[drawn].double().mean() < 0.55
    assert _order(data, torch.Generator().manual_seed(0), False).sort().values.tolist() == list(range(100))
    attacks.train(net(), Bars(64), balanced=True, label_smoothing=0.1, **QUICK)


def test_labels_are_smoothed_in_every_loss():
    run = run_of()
    images, labels = Bars(16).batch(torch.arange(16))
    logits = run.network.eval()(images)
    plain, smooth = (
        batch_of(run, images, labels, smoothing=share).cross_entropy(images, logits) for share in (0.0, 0.5)
    )
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.5)
    assert smooth == expected != plain


def test_nfgsm_neither_clips_the_noise_nor_the_step():
    run, points = run_of(), []
    images, labels = torch.full((8, 1, 6, 6), 0.5), torch.arange(8) % 2
    batch = batch_of(run, images, labels, model=keeping(run.model, points), attacked=run.evaluated, eps=0.1)
    next(nfgsm(batch))()
    delta = points[-1] - images
    assert 0.2 < delta.abs().max() <= 0.3 + 1e-6  # twice eps of noise, and a step of eps
    next(nfgsm(batch_of(run, images, labels, model=keeping(run.model, points), eps=0.1), noise=0.0))()
    torch.testing.assert_close((points[-1] - images).abs(), torch.full_like(images, 0.1))
