"""Metrics of explanations: others' answers, and closed forms on tiny networks."""

import math

import pytest
import torch
from torch import nn

import interpret
from interpret.datasets.boxes import region_of_boxes
from interpret.errors import InterpretError
from interpret.explainers.aggregation import importance
from interpret.faithfulness import METRICS, metric_named
from interpret.faithfulness.baseline_maps import centred_gaussian, random_map
from interpret.faithfulness.curves import both_curves, ranks
from interpret.faithfulness.imputation import WEIGHTS, imputed
from interpret.faithfulness.measures import MetricSettings, Sample, measure
from interpret.faithfulness.ranking import interval, ranked_methods
from tests.command import flowers
from tests.tiny import SmallCNN


def total(images):
    """A network whose one logit is the sum of the picture."""
    return images.flatten(1).sum(1, keepdim=True)


def first(logits):
    return logits[:, 0]


class Weighted(nn.Module):
    """A linear network: one logit, a weight a pixel and channel."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images):
        return (images * self.weights).flatten(1).sum(1, keepdim=True)


def additive(n=2, seed=0):
    """A linear network of distinct positive contributions, pictures, and the map that tells them."""
    torch.manual_seed(seed)
    network, images = Weighted(torch.rand(1, 6, 6).double()), torch.rand(n, 1, 6, 6).double()
    return network, images, (images * network.weights).detach()


def small(seed=0):
    torch.manual_seed(seed)
    return SmallCNN().eval(), torch.rand(3, 3, 12, 12), torch.rand(3, 1, 12, 12)


def test_the_answers_of_others():
    image = torch.tensor([[[[0.4, 0.3], [0.2, 0.1]]]])
    for metric, scores, area in (("deletion", [1, 0.3, 0], 0.4), ("insertion", [0, 0.7, 1], 0.6)):
        curve = metric_named(metric)(total, image, first, image, baseline=0, steps=2)
        assert curve.fractions.tolist() == [0, 0.5, 1]
        torch.testing.assert_close(curve.scores, torch.tensor([scores]).float())
        torch.testing.assert_close(curve.area, torch.tensor([area]))


def test_the_ends_of_a_curve_are_the_picture_and_the_baseline():
    network, images, maps = small()
    target = torch.tensor([0, 1, 2])
    with torch.no_grad():
        whole, black = (network(given).softmax(1)[range(3), target] for given in (images, 0 * images))
    deleted = interpret.deletion(network, images, target, maps, baseline="black", steps=5).scores
    inserted = interpret.insertion(network, images, target, maps, baseline="black", steps=5).scores
    for scores, start, end in ((deleted, whole, black), (inserted, black, whole)):
        torch.testing.assert_close(scores[:, 0], start)
        torch.testing.assert_close(scores[:, -1], end)


def test_no_order_is_better_than_the_true_one_and_chance_is_half_of_it():
    network, images, truth = additive()
    total_score = network(images)[:, 0].detach()

    def areas(maps):
        options = {"baseline": "black", "steps": 36}
        return [
            interpret.insertion(network, images, first, maps, **options).area,
            interpret.deletion(network, images, first, maps, **options).area,
        ]

    best, least = areas(truth)
    chance = torch.stack([areas(torch.rand_like(truth))[0] / total_score for _ in range(40)])
    assert (best > chance.amax(0) * total_score).all() and (least < best).all()
    assert (chance.mean(0) - 0.5).abs().max() < 0.03
    # What a linear score gains by showing it loses by hiding.
    torch.testing.assert_close(best + least, total_score)
    torch.testing.assert_close(areas(-truth)[0], least)


def test_equal_values_have_no_favourite_edge():
    flat = ranks(torch.zeros(2, 1, 40, 40))
    assert flat[0].equal(flat[1]) and flat[0].flatten().sort().values.equal(torch.arange(1600))
    upper = flat[0, 0, :20].double().mean()
    assert abs(float(upper) - 799.5) < 40  # in reading order it would be 399.5
    assert not ranks(torch.zeros(1, 1, 40, 40), seed=1).equal(flat[:1])
    assert ranks(torch.tensor([[[[0.1, 3.0], [-2.0, 0.2]]]])).flatten().tolist() == [2, 0, 3, 1]


def test_maps_on_the_picture_s_pixels_are_laid_on_the_network_s_input():
    classifier, picture = flowers(), torch.rand(1, 3, 64, 96)
    maps = torch.rand(1, 1, 64, 96)
    view, geometry = classifier.on_inputs(), classifier.prepare(picture)[1]
    inside = interpret.deletion(view, geometry.apply(picture), 2, geometry.apply(maps), steps=4)
    torch.testing.assert_close(interpret.deletion(classifier, picture, 2, maps, steps=4).scores, inside.scores)


@pytest.mark.parametrize(
    "maps, message",
    [
        (torch.zeros(1, 3, 12, 12), "combined"),
        (torch.zeros(2, 1, 12, 12), "shape"),
        (torch.full((1, 1, 12, 12), math.nan), "NaN"),
    ],
)
def test_maps_without_an_order_are_refused(maps, message):
    with pytest.raises(InterpretError, match=message):
        interpret.insertion(SmallCNN(), torch.rand(1, 3, 12, 12), 0, maps)


def test_average_drop_and_increase():
    images, maps = torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    maps[0, :, :, :2], maps[1, :, :1] = 7.0, 5.0  # shows a half and a quarter
    maps[1, :, 3] = -9.0  # what speaks against the class is hidden, not shown
    torch.testing.assert_close(interpret.average_drop(total, images, first, maps), torch.tensor([0.5, 0.75]))
    assert interpret.average_increase(total, images, first, maps).tolist() == [0, 0]
    assert interpret.average_increase(lambda given: 20 - total(given), images, first, maps).tolist() == [1, 1]
    assert interpret.average_drop(lambda given: 20 - total(given), images, first, maps).tolist() == [0, 0]
    assert interpret.average_drop(total, images, first, 0 * maps).tolist() == [1, 1]


def test_imputation_solves_the_system_of_the_paper():
    torch.manual_seed(0)
    images, removed = torch.rand(1, 1, 7, 6).double(), torch.rand(1, 1, 7, 6) < 0.6
    holes = [tuple(place) for place in removed[0, 0].nonzero().tolist()]
    system, right = torch.zeros(len(holes), len(holes)).double(), torch.zeros(len(holes)).double()
    for number, (row, column) in enumerate(holes):
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                place, weight = (row + down, column + across), WEIGHTS[down + 1][across + 1]
                if place[0] not in range(7) or place[1] not in range(6):
                    continue
                system[number, number] += weight
                if place in holes:
                    system[number, holes.index(place)] -= weight
                else:
                    right[number] += weight * images[0, 0, place[0], place[1]]
    wanted = images.clone()
    wanted[removed] = torch.linalg.solve(system, right)
    torch.testing.assert_close(imputed(images, removed, tolerance=1e-10), wanted, atol=1e-7, rtol=0)


def test_a_large_hole_is_closed():
    removed = torch.zeros(2, 1, 64, 64, dtype=torch.bool)
    removed[:, :, 5:60, 3:62] = True
    ramp = torch.linspace(0, 1, 64).expand(2, 3, 64, 64).clone()
    filled = imputed(torch.where(removed, torch.rand(2, 3, 64, 64), ramp), removed)
    assert (filled - ramp).abs().max() < 0.02  # a plane is the mean of its neighbours
    assert filled[~removed.expand_as(filled)].equal(ramp[~removed.expand_as(ramp)])


def test_road_knows_the_true_map_from_its_opposite():
    network, images, truth = additive()
    true, opposite = (interpret.road(network, images, first, given, noise=0) for given in (truth, -truth))
    assert (true > 0).all()
    torch.testing.assert_close(true, -opposite)


def test_infidelity_of_a_linear_network_s_gradient_is_zero():
    torch.manual_seed(0)
    network, images = Weighted(torch.randn(3, 6, 6).double()), torch.rand(2, 3, 6, 6).double()
    gradient = network.weights.detach().expand_as(images)
    exact = interpret.infidelity(network, images, 0, gradient, normalize=False)
    assert exact.abs().max() < 1e-12
    # A map in other units is as good, unless units count.
    assert interpret.infidelity(network, images, 0, 5 * gradient).abs().max() < 1e-12
    many = interpret.infidelity(network, images, 0, 2 * gradient, normalize=False, noise=0.1, samples=3000)
    wanted = 0.01 * float(network.weights.detach().square().sum())  # the variance of noise times weights
    assert (many - wanted).abs().max() < 0.1 * wanted
    assert (interpret.infidelity(network, images, 0, torch.randn_like(images)) > 0.03).all()


def test_max_sensitivity():
    torch.manual_seed(0)
    network, images = Weighted(torch.randn(1, 5, 5).double()), torch.rand(2, 1, 5, 5).double()
    assert interpret.max_sensitivity(network, images, 0, interpret.saliency).abs().max() < 1e-6
    product = interpret.input_x_gradient
    found = interpret.max_sensitivity(network, images, 0, product, radius=0.1, samples=50)
    weights = network.weights.detach()
    largest = 0.1 * weights.norm() / (images * weights).flatten(1).norm(dim=1)
    assert (found <= largest).all() and (found > 0.5 * largest).all()
    alone = interpret.max_sensitivity(network, images[1:], 0, product, radius=0.1, samples=50)
    torch.testing.assert_close(alone, found[1:])


def test_pointing_and_mass():
    maps = torch.zeros(3, 1, 4, 4)
    maps[0, 0, 1, 1], maps[0, 0, 3, 3], maps[0, 0, 0, 3] = 3.0, 1.0, -8.0
    maps[1, 0, 3, 3] = 1.0
    regions = region_of_boxes([[0, 0, 2, 2]], 4, 4).expand(3, 4, 4)
    assert interpret.pointing_game(maps, regions).tolist() == [1, 0, 0.25]  # the last is flat: the share of places
    assert interpret.pointing_game(maps, regions, tolerance=2).tolist() == [1, 1, 1]
    assert interpret.relevance_mass(maps, regions).tolist() == [0.75, 0, 0]
    nowhere = torch.zeros(3, 4, 4, dtype=torch.bool)
    assert interpret.pointing_game(maps, nowhere).isnan().all()
    assert interpret.relevance_mass(maps, nowhere).isnan().all()
    with pytest.raises(InterpretError, match="left, top"):
        region_of_boxes([[3, 0, 1, 2]], 4, 4)


def test_floors_do_not_look_at_the_picture():
    images = torch.rand(2, 3, 9, 13)
    for floor in (random_map, centred_gaussian):
        assert floor(images).shape == (2, 1, 9, 13) and floor(images).equal(floor(images.flip(0)))
    assert int(centred_gaussian(images)[0].argmax()) == 4 * 13 + 6
    assert not random_map(images, 1).equal(random_map(images, 0))


def test_importance_is_a_size_but_of_maps():
    values = torch.tensor([1.0, -3.0, 1.0]).view(1, 3, 1, 1)
    names = ("saliency", "guided_backprop", "integrated_gradients")
    assert {name: float(importance(values, name)) for name in names} == dict(zip(names, (3, 3, 5), strict=True))
    assert float(importance(-values[:, :1], "occlusion")) == -1


def test_intervals_of_a_mean():
    torch.manual_seed(0)
    values = (torch.randn(400) * 2 + 5).tolist()
    found = interval(values)
    half = 1.96 * float(torch.tensor(values).std()) / 20
    assert math.isclose(found.mean, sum(values) / 400, rel_tol=1e-6)
    assert abs(found.low - (found.mean - half)) < 0.1 * half and abs(found.high - (found.mean + half)) < 0.1 * half
    assert interval(values) == found and interval(values, seed=1) != found
    assert interval([*values, math.nan]) == found
    assert interval([3.0]).mean == 3 and math.isnan(interval([3.0]).low)


def test_a_method_is_compared_on_its_own_pictures():
    # The pictures differ by far more than the methods do, and the third method saw only an easy one.
    random = {"a": 0.1, "b": 0.9}
    results = {
        "random": {name: {"insertion_blur": value} for name, value in random.items()},
        "good": {name: {"insertion_blur": value + 0.05} for name, value in random.items()},
        "lucky": {"b": {"insertion_blur": 0.92}},
    }
    ranked = ranked_methods(results, {"good": 6, "lucky": 40}, "insertion_blur")
    assert [method.name for method in ranked] == ["good", "lucky", "random"]
    assert [(method.pictures, method.passes) for method in ranked] == [(2, 3), (1, 40), (2, 0)]
    assert math.isclose(ranked[0].gains["insertion_blur"].mean, 0.05)
    # Where less is better, a gain is a fall.
    turned = {
        name: {k: {"deletion_blur": v["insertion_blur"]} for k, v in rows.items()} for name, rows in results.items()
    }
    assert [method.name for method in ranked_methods(turned, {}, "deletion_blur")] == ["random", "lucky", "good"]


def test_every_number_of_a_measurement():
    classifier, image = flowers().on_inputs(), torch.rand(1, 3, 32, 32)
    settings = MetricSettings(list(METRICS), ("black", "mean"), steps=3)
    region = region_of_boxes([[4, 4, 20, 20]], 32, 32)
    sample = Sample("noise", image, 1, region)
    measured = measure(classifier, sample, "smoothgrad", settings)
    found = measured.values
    assert list(found) == settings.columns() and all(math.isfinite(value) for value in found.values())
    assert measured.passes == 25 * 12  # the map, and max-sensitivity's ten and the one they are compared with
    assert measure(classifier, sample, "smoothgrad", settings) == measured
    assert len({found["deletion_black"], found["deletion_mean"]}) == 2
    without = measure(classifier, Sample("noise", image, 1), "centre", settings)
    assert without.passes == 0 and all(
        math.isnan(without.values[name]) for name in ("pointing_game", "max_sensitivity")
    )


def test_methods_are_ranked_from_python():
    images = {name: torch.rand(1, 3, 40, 32, generator=torch.Generator().manual_seed(ord(name))) for name in "ab"}
    ranked = interpret.rank_methods(flowers(), images, ["saliency", "gradcam"], steps=4)
    assert {method.name for method in ranked} == {"random", "centre", "saliency", "gradcam"}
    gains = [method.gains["insertion_blur"].mean for method in ranked]
    assert gains == sorted(gains, reverse=True) and all(method.pictures == 2 for method in ranked)
    assert all(method.gains["insertion_blur"].mean == 0 for method in ranked if method.name == "random")
    with pytest.raises(InterpretError, match="could be read"):
        interpret.rank_methods(flowers(), {}, ["saliency"])


def test_both_curves_of_several_maps_are_those_of_each_alone():
    torch.manual_seed(0)
    classifier, image = flowers().eval().on_inputs(), torch.rand(1, 3, 32, 32)
    maps, end = torch.rand(3, 1, 32, 32), torch.zeros(1, 3, 32, 32)
    for target in (2, torch.tensor([2]), interpret.contrast(2, 1)):
        lost, found = both_curves(classifier, image, target, maps, end, steps=5)
        for number, one in enumerate(maps[:, None]):
            alone = interpret.deletion(classifier, image, target, one, baseline=end, steps=5).scores[0]
            torch.testing.assert_close(lost.scores[number], alone)
            alone = interpret.insertion(classifier, image, target, one, baseline=end, steps=5).scores[0]
            torch.testing.assert_close(found.scores[number], alone)
    assert both_curves(classifier, image, 2, maps, end, steps=1)[0].area.shape == (3,)
