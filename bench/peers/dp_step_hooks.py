"""The private step of the peer UNet on the CPU as Opacus 1.3 makes it, for machines where Opacus cannot be installed.

usage: dp_step_hooks.py CONFIG BATCH THREADS MODE(hooks|lora-hooks)

Written from its published algorithm, in plain PyTorch: hooks keep each layer's inputs and take the gradient of its outputs;
a layer's gradients of single images are one batched product (for a convolution of unfolded images), copied into zeroed
memory; then norms per image, clip factors, weighted sums, Gaussian noise, Adam. As there, the ordinary gradients are computed
on the way, too. Before it is timed, the sums of all gradients of single images are held against those. Prints what
dp_step_torch.py prints, with the median of the steps instead of the best.
"""
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.dont_write_bytecode = True  # leaves no folder behind among the sources
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "shared" / "peers"))

from lora_torch import add_lora
from unet_torch import CONFIGS, UNet

LORA_RANK = 4
CLIP_NORM = 1.0
NOISE_MULTIPLIER = 1.0
LEARNING_RATE = 1e-3


def keep(parameter, per_image):
    """Opacus accumulates into memory for the largest batch, which the first use makes."""
    parameter.per_image = torch.zeros(per_image.shape)
    parameter.per_image[: len(per_image)] = per_image


def conv(layer, x, g):
    n = x.shape[0]
    windows = F.unfold(x, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    g = g.reshape(n, -1, windows.shape[-1])
    keep(layer.weight, torch.einsum("noq,npq->nop", g, windows).view(n, *layer.weight.shape))
    keep(layer.bias, g.sum(2))


def linear(layer, x, g):
    keep(layer.weight, torch.einsum("n...i,n...j->nij", g, x))
    if layer.bias is not None:
        keep(layer.bias, torch.einsum("n...k->nk", g))


def group_norm(layer, x, g):
    keep(layer.weight, torch.einsum("ni...->ni", F.group_norm(x, layer.num_groups, eps=layer.eps) * g))
    keep(layer.bias, torch.einsum("ni...->ni", g))


def embedding(layer, x, g):
    n, width = g.shape
    all_rows = torch.zeros(n, *layer.weight.shape)
    keep(layer.weight, all_rows.scatter_add_(1, x.view(n, 1, 1).expand(n, 1, width), g.view(n, 1, width)))


RULES = {nn.Conv2d: conv, nn.Linear: linear, nn.GroupNorm: group_norm, nn.Embedding: embedding}


def attach(model, batch):
    """Makes every backward pass of a mean loss leave the gradient of each image in its parameter's per_image."""

    def after_forward(layer, inputs, output):
        x = inputs[0].detach()
        output.register_hook(lambda g: RULES[type(layer)](layer, x, g * batch))

    for layer in model.modules():
        if type(layer) in RULES and all(p.requires_grad for p in layer.parameters()):
            layer.register_forward_hook(after_forward)


def clip_and_noise(parameters, batch):
    """Replaces ordinary gradients by noised means of clipped ones."""
    norms = torch.stack([p.per_image.reshape(batch, -1).norm(2, dim=-1) for p in parameters], dim=1).norm(2, dim=1)
    factors = (CLIP_NORM / (norms + 1e-6)).clamp(max=1.0)
    for p in parameters:
        total = torch.einsum("i,i...", factors, p.per_image)
        p.grad = (total + torch.normal(0.0, NOISE_MULTIPLIER * CLIP_NORM, total.shape)) / batch
        p.per_image = None


def check(parameters, batch):
    """Some gradients are zero but for rounding, such as those of the keys' biases: they are held against the whole."""
    whole = torch.stack([p.grad.norm() for p in parameters]).norm()
    for p in parameters:
        error = (p.per_image.sum(0) / batch - p.grad).norm()
        assert error < 1e-4 * p.grad.norm() + 1e-6 * whole, f"gradients of images add up to others, by {error} of {whole}"


def main():
    config, batch, threads, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    shape = CONFIGS[config]
    size = 28 if config == "unet28" else 32
    model = UNet(**shape)
    if mode.startswith("lora"):
        add_lora(model, LORA_RANK)
    attach(model, batch)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE)
    x = torch.randn(batch, shape["in_ch"], size, size)
    t, y, e = torch.randint(0, 1000, (batch,)), torch.randint(0, 10, (batch,)), torch.randn_like(x)

    def step(checked=False):
        optimizer.zero_grad()
        F.mse_loss(model(x, t, y), e).backward()
        if checked:
            check(parameters, batch)
        clip_and_noise(parameters, batch)
        optimizer.step()

    step()
    step(checked=True)  # before the first step adapters give gradients of zero
    times, started = [], time.time()
    while len(times) < 3 or (time.time() - started < 15 and len(times) < 20):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    median = statistics.median(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{config} B={batch} thr={threads} {mode}: median {median * 1e3:.1f} ms/step  "
        f"{median / batch * 1e3:.2f} ms/sample  peakRSS {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
