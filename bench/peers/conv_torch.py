"""3x3 convolutions of stride 1 in PyTorch (oneDNN) on the CPU: forward, gradient of the input, gradient of the weight.

usage: conv_torch.py BATCH THREADS EDGExINxOUT ...

Prints microseconds per image and GFLOP/s of the direct algorithm, median of 15 timings in processor time, as
org.sapwood.bench.ConvolutionInProcessorTime does. The weight's gradient is the sum over the batch, as PyTorch gives it.
"""

import sys
import time

import torch

batch, threads = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)


def median(call, least):
    for _ in range(3 * least):
        call()
    times = []
    for _ in range(15):
        start = time.process_time()
        for _ in range(least):
            call()
        times.append((time.process_time() - start) / least / threads)
    return sorted(times)[7]


for shape in sys.argv[3:]:
    edge, cin, cout = map(int, shape.split("x"))
    x = torch.randn(batch, cin, edge, edge)
    weight = torch.randn(cout, cin, 3, 3)
    dy = torch.randn(batch, cout, edge, edge)

    def backward(of_input, of_weight):
        return torch.ops.aten.convolution_backward(
            dy, x, weight, [0], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [of_input, of_weight, False])

    calls = {
        "forward": lambda: torch.nn.functional.conv2d(x, weight, None, 1, 1),
        "inputGradient": lambda: backward(True, False),
        "weightGradient": lambda: backward(False, True),
    }
    gflop = 18e-9 * edge * edge * cin * cout * batch
    with torch.no_grad():
        for name, call in calls.items():
            seconds = median(call, max(3, round(2 / gflop)))
            print(f"{shape} {name}: {seconds / batch * 1e6:.1f} us/image, {gflop / seconds:.1f} GFLOP/s")
