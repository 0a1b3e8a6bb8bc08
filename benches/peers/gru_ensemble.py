"""W6: eight members of an ensemble of two-layer GRUs trained one after another in PyTorch, with its own number of threads.

The networks, samples, batches and epochs are those of `benches/ensemble.rs`; the data are noise on both sides, since only time
is measured. Each member is trained as a user would: Adam, clipping by norm, batches of shuffled rows of one tensor.
"""

import torch

from timing import measure

MEMBERS, SAMPLES, EPOCHS, BATCH = 8, 640, 2, 32
INPUTS, HIDDEN, LAYERS, STEPS = 10, 64, 2, 50


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(INPUTS, HIDDEN, LAYERS, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, 2)

    def forward(self, windows):
        states, _ = self.gru(windows)
        mean, raw = self.head(states[:, -1]).unbind(1)
        return mean, torch.nn.functional.softplus(raw) + 1e-4


def train(seed, windows, target):
    torch.manual_seed(seed)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(EPOCHS):
        for places in torch.randperm(SAMPLES).split(BATCH):
            mean, variance = network(windows[places])
            loss = torch.nn.functional.gaussian_nll_loss(mean, target[places], variance, full=True)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()


def ensemble(windows, target):
    for seed in range(MEMBERS):
        train(seed, windows, target)


torch.manual_seed(7)
windows, target = torch.randn(SAMPLES, STEPS, INPUTS), torch.randn(SAMPLES)
name = f"W6 gru_ensemble, {torch.get_num_threads()} threads"
measure(name, "PyTorch", torch.__version__, lambda: ensemble(windows, target), MEMBERS, "members", repeats=3)
