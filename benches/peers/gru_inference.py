"""W6: GRU and LSTM inference on one thread: ours, PyTorch, libtorch's operator called directly, and ONNX Runtime, in turns.

usage: gru_inference.py [--rounds N] [-- COMMAND]     (default command: cargo bench of our kernel)

The same network with the same weights in all four: 10 features, 64 hidden values, 2 layers. A round runs every workload with
everyone for some hundredths of a second; what counts is the median over rounds of the ratio of a peer's time to ours. Clock
times and processor times are given side by side, since other programs disturb the latter less (Linux only). Prints one line of
JSON for each workload, and fails if states differ by more than 1e-5.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time
import warnings

import numpy
import onnxruntime
import torch

FEATURES, HIDDEN, LAYERS, STEPS, BATCH = 10, 64, 2, 50, 256
TOLERANCE = 1e-5
# Windows, steps, and how often each runs in a round: ours, PyTorch and the operator, ONNX Runtime.
WORKLOADS = {"step": (1, 1, 10_000, 400, 1_000), "window": (1, STEPS, 400, 20, 200), "batch": (BATCH, STEPS, 2, 1, 1)}
OURS = ["cargo", "bench", "--quiet", "--package", "tidegate-recurrence", "--bench", "recurrence", "--"]


class Exported(torch.nn.Module):
    """A stack with its states as inputs and outputs, as a program that goes on bar by bar needs it."""

    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def forward(self, windows, *states):
        output, last = self.stack(windows, states if len(states) > 1 else states[0])
        return (output, *last) if len(states) > 1 else (output, last)


class Network:
    def __init__(self, kind, folder):
        torch.manual_seed(7)
        self.kind = kind
        self.stack = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[kind](FEATURES, HIDDEN, LAYERS, batch_first=True).eval()
        self.operator = {"gru": torch._VF.gru, "lstm": torch._VF.lstm}[kind]
        self.names = ["states"] if kind == "gru" else ["states", "cells"]
        flat = numpy.concatenate([weights.detach().numpy().ravel() for weights in self.stack.parameters()])
        flat.astype("<f4").tofile(folder / kind)
        self.path = str(folder / f"{kind}.onnx")
        states = self.initial(2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Exported(self.stack),
                (torch.zeros(2, 3, FEATURES), *states),
                self.path,
                input_names=["windows", *self.names],
                output_names=["output", *(f"last_{name}" for name in self.names)],
                dynamic_axes={"windows": {0: "batch", 1: "steps"}, **{name: {1: "batch"} for name in self.names}},
                dynamo=False,
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])

    def initial(self, size):
        return [torch.zeros(LAYERS, size, HIDDEN) for _ in self.names]

    def peers(self, windows):
        """Returns a function without arguments for each peer, which computes all states of the top layer first."""
        states = self.initial(len(windows))
        initial = states[0] if self.kind == "gru" else tuple(states)
        weights = self.stack._flat_weights
        arguments = (initial, weights, True, LAYERS, 0.0, False, False, True)
        fed = {"windows": windows.numpy(), **{name: state.numpy() for name, state in zip(self.names, states)}}
        return {
            "PyTorch": lambda: self.stack(windows, initial)[0],
            "libtorch's operator": lambda: self.operator(windows, *arguments)[0],
            "ONNX Runtime": lambda: self.session.run(None, fed)[0],
        }


class Ours:
    """Our benchmark as a process that runs what it is asked to."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(
            [*command, "serve", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        word, process, self.quantized_bytes = self.process.stdout.readline().split()
        assert word == "ready"
        # The clock of another process's processor time, as clock_getcpuclockid(3) makes it.
        self.processor_clock = (~int(process) << 3) | 2

    def seconds(self, network, workload, count):
        start = time.clock_gettime(self.processor_clock)
        self.process.stdin.write(f"{network} {workload} {count}\n")
        self.process.stdin.flush()
        clock = float(self.process.stdout.readline())
        return clock / count, (time.clock_gettime(self.processor_clock) - start) / count

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def seconds_of(work, count):
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(count):
        work()
    return (time.perf_counter() - clock) / count, (time.process_time() - processor) / count


def check(network, windows, folder):
    """Compares our states with both peers' and returns the largest differences."""
    ours = numpy.fromfile(folder / f"{network.kind}.out", "<f4").reshape(BATCH, STEPS, HIDDEN)
    differences = {}
    for name, work in network.peers(windows).items():
        differences[name] = float(numpy.abs(numpy.asarray(work()) - ours).max())
        assert differences[name] <= TOLERANCE, f"{network.kind}: states differ from {name}'s by {differences[name]}"
    return differences


def measure(network, ours_name, workload, ours, windows, rounds):
    size, steps, ours_count, torch_count, runtime_count = WORKLOADS[workload]
    peers = network.peers(windows[:size, :steps].contiguous())
    counts = dict(zip(peers, (torch_count, torch_count, runtime_count)))
    times = {name: [] for name in ("ours", *peers)}
    for _ in range(rounds + 1):
        times["ours"].append(ours.seconds(ours_name, workload, ours_count))
        for name, work in peers.items():
            times[name].append(seconds_of(work, counts[name]))
    row = {"workload": f"W6 {ours_name} {workload}", "rounds": rounds, "microseconds": {}, "ratios": {}}
    for name, found in times.items():
        # The first round warms up.
        row["microseconds"][name] = [round(statistics.median(kind) * 1e6, 2) for kind in zip(*found[1:])]
        if name != "ours":
            pairs = [[peer / own for peer, own in zip(*both)] for both in zip(found[1:], times["ours"][1:])]
            row["ratios"][name] = [round(statistics.median(kind), 2) for kind in zip(*pairs)]
    print(json.dumps(row), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("command", nargs="*", default=OURS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = pathlib.Path(name)
        networks = {kind: Network(kind, folder) for kind in ("gru", "lstm")}
        windows = torch.randn(BATCH, STEPS, FEATURES, generator=torch.Generator().manual_seed(11))
        windows.numpy().astype("<f4").tofile(folder / "windows")
        ours = Ours(arguments.command, folder)
        versions = {"PyTorch": torch.__version__, "ONNX Runtime": onnxruntime.__version__}
        differences = {kind: check(network, windows, folder) for kind, network in networks.items()}
        exact = numpy.fromfile(folder / "gru.out", "<f4")
        rounded = float(numpy.abs(exact - numpy.fromfile(folder / "int8.out", "<f4")).max())
        sizes = {"f32": (folder / "gru").stat().st_size, "int8": int(ours.quantized_bytes)}
        print(json.dumps({"versions": versions, "largest differences": differences}), flush=True)
        print(json.dumps({"bytes": sizes, "largest difference of int8": rounded}), flush=True)
        print("times and ratios (peer / ours) are pairs: by the clock, of processor time", flush=True)
        for ours_name, kind in (("gru", "gru"), ("int8", "gru"), ("lstm", "lstm")):
            for workload in WORKLOADS:
                measure(networks[kind], ours_name, workload, ours, windows, arguments.rounds)
        ours.close()


main()
