#!/usr/bin/env python3
"""Learning rates of torch.optim.lr_scheduler, printed as JSON: the reference values of `crates/models/src/schedule.rs`.

usage: schedule_reference.py > tests/vectors/nn/schedules.json        (needs torch; written with 2.13.0)
"""

import json
import warnings

import torch
from torch.optim import lr_scheduler

RATE = 0.1
warnings.filterwarnings("ignore")


def rates(make, steps, losses=None):
    """The rate of every step, or epoch, from the first on; `losses` are those that a plateau sees after each."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    schedule = make(optimizer)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([losses[step]] if losses else []))
    return found


LOSSES = [1.0, 0.9, 0.95, 0.9, 0.91, 0.92, 0.85, 0.85, 0.9, 0.88, 0.86, 0.9, 0.87, 0.89]

cases = {
    "losses": LOSSES,
    "plateau": rates(
        lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=2, threshold=0.0, min_lr=0.02, eps=0.0), 14, LOSSES
    ),
    "step": rates(lambda o: lr_scheduler.StepLR(o, step_size=3, gamma=0.3), 12),
    "exponential": rates(lambda o: lr_scheduler.ExponentialLR(o, gamma=0.9), 12),
    "cosine": rates(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=10, eta_min=0.001), 11),
    "cosine_restarts": rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.001), 24),
    "cosine_restarts_alike": rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=4, T_mult=1), 10),
    "warmup": rates(lambda o: lr_scheduler.LinearLR(o, start_factor=1 / 8, end_factor=1.0, total_iters=7), 12),
    "one_cycle": rates(
        lambda o: lr_scheduler.OneCycleLR(
            o, max_lr=RATE, total_steps=20, pct_start=0.3, div_factor=25.0, final_div_factor=1e4, cycle_momentum=False
        ),
        20,
    ),
}
print(json.dumps(cases, indent=1))
