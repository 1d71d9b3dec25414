"""The record of samples, and the loop that refills the batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attacks.core.active_batch import State, run_until_done
from attacks.core.seeds import Noise


@dataclass
class Counting(State):
    goal: Tensor
    taken: Tensor
    result: Tensor
    noise: Noise
    name: str = "shared"


def counting(*goals):
    zeros = torch.zeros(len(goals))
    return Counting(torch.tensor(goals), zeros, zeros, Noise.of(list(range(len(goals))), zeros))


class Search:
    """Each sample counts up to its goal, and gives the square of it."""

    def __init__(self):
        self.widths = []

    def begin(self, samples):
        return samples

    def step(self, state):
        self.widths.append(len(state))
        state.taken = state.taken + 1
        state.result = state.taken**2
        return state.taken >= state.goal


def test_a_record_is_taken_apart_and_put_together():
    state = counting(3, 1, 2)
    chosen = state[torch.tensor([True, False, True])]
    assert len(chosen) == 2 and chosen.goal.tolist() == [3, 2] and chosen.name == "shared"
    assert chosen.noise.seeds.tolist() == [0, 2]
    joined = chosen.joined(state[torch.tensor([1])])
    assert joined.goal.tolist() == [3, 2, 1] and joined.noise.seeds.tolist() == [0, 2, 1]


def test_replacing_samples_leaves_fields_that_share_a_tensor_alone():
    state = counting(3, 1, 2)
    assert state.taken is state.result
    mask = torch.tensor([False, True, False])
    fresh = state[mask]
    fresh.result, fresh.noise.drawn = fresh.result + 5, fresh.noise.drawn + 2
    state[mask] = fresh
    assert state.result.tolist() == [0, 5, 0] and state.taken.tolist() == [0, 0, 0]
    assert state.noise.drawn.tolist() == [0, 2, 0]


def test_finished_samples_make_room_for_waiting_ones():
    search = Search()
    goals = (3, 1, 2, 1, 4)
    found = run_until_done(search, counting(*goals), batch_size=2)
    assert found.tolist() == [goal**2 for goal in goals]
    assert search.widths == [2, 2, 2, 2, 1, 1, 1]  # 11 steps of samples in all
    search = Search()
    assert run_until_done(search, counting(*goals)).tolist() == found.tolist()
    assert search.widths == [5, 3, 2, 1]
