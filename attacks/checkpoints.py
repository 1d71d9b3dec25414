"""When Auto-PGD asks whether its step is still right."""

import torch
from torch import Tensor


def checkpoints(steps: int) -> Tensor:
    """(steps + 1,) for each number of steps taken, how long ago the last checkpoint was; 0 where there is none.

    Periods start at 0.22 of the steps and become 0.03 shorter each time, down to 0.06 (section 3.1).
    """
    period, least, shorter = (max(int(share * steps), 1) for share in (0.22, 0.06, 0.03))
    since_last = torch.zeros(steps + 1, dtype=torch.int64)
    place = period
    while place <= steps:
        since_last[place] = period
        period = max(period - shorter, least)
        place += period
    return since_last
