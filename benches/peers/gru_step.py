"""W5: one training step of a two-layer GRU in PyTorch on one thread: forward, Gaussian loss, backward, clip, Adam."""

import torch

from timing import measure

INPUTS, HIDDEN, LAYERS, STEPS = 10, 64, 2, 50


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(INPUTS, HIDDEN, LAYERS, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, 2)

    def forward(self, windows):
        states, _ = self.gru(windows)
        mean, raw = self.head(states[:, -1]).unbind(1)
        return mean, torch.nn.functional.softplus(raw) + 1e-6


def step(network, optimizer, windows, target):
    mean, variance = network(windows)
    loss = torch.nn.functional.gaussian_nll_loss(mean, target, variance)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def many(count, *arguments):
    for _ in range(count):
        step(*arguments)


torch.set_num_threads(1)
for batch, count in ((32, 30), (256, 10)):
    torch.manual_seed(7)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    windows, target = torch.randn(batch, STEPS, INPUTS), torch.randn(batch)
    work = lambda: many(count, network, optimizer, windows, target)
    measure(f"W5 gru_step batch {batch}", "PyTorch", torch.__version__, work, count, "steps")
