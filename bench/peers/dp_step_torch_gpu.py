"""Steps of the same UNet in PyTorch on one GPU, and what the GPU can do at best: the numbers to hold Sapwood against.

    python3 bench/peers/dp_step_torch_gpu.py --config unet32 --batch 512
    python3 bench/peers/dp_step_torch_gpu.py --no-steps --gemm-shapes '131072,128,1152;131072,128,128,nt'

Steps: forward, non-private, private (torch.func per-sample gradients, flat clip, Gaussian noise, Adam), and the last
two with adapters of rank 4 on all attention projections. The images are fixed: draws and averaged weights, which
Sapwood's steps include, are left out. Each step runs in several variants:

    strict      float32 everywhere
    default     PyTorch as it comes: TF32 in convolutions, float32 in matrix products
    tf32        TF32 in both
    bf16        bfloat16 autocast
    last        default, images as channels_last
    tuned       bf16, channels_last, fused attention, fused Adam, cuDNN's search for the fastest algorithm
    compiled    default, torch.compile (--compile); tuned-compiled likewise

Times are of CUDA events, the median of a few steps after warm-up. Ceilings are a copy within the device's memory and
products of 8192 cubed; products have factors of random normal numbers, and bf16 ones a bf16 result. Prints one table and
writes all of it as JSON. With --device cpu it runs without a GPU, which only shows that it works.
"""

import argparse
import contextlib
import datetime
import json
import math
import platform
import re
import statistics
import subprocess
import sys
import time
import warnings

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, vmap

sys.dont_write_bytecode = True  # leaves no folder behind among the sources

from unet_torch import CONFIGS, Attention, UNet

LORA_RANK = 4
CLIP_NORM = 0.1
NOISE_MULTIPLIER = 1.0
LEARNING_RATE = 1e-3
CLASSES = 10

# Settings of a variant; what is not named is PyTorch's default.
VARIANTS = {
    "strict": {"cudnn_tf32": False},
    "default": {},
    "tf32": {"matmul_tf32": True},
    "bf16": {"bf16": True},
    "last": {"channels_last": True},
    "tuned": {"bf16": True, "channels_last": True, "fused": True, "cudnn_benchmark": True},
    "compiled": {"compile": True},
    "tuned-compiled": {"bf16": True, "channels_last": True, "fused": True, "cudnn_benchmark": True, "compile": True},
}

# In this order, so that a time limit costs the least important.
STEPS = {
    "forward": ["default", "strict", "tf32", "bf16", "last", "tuned", "compiled", "tuned-compiled"],
    "non-private": ["default", "strict", "tf32", "bf16", "last", "tuned", "compiled", "tuned-compiled"],
    "lora-non-private": ["default", "strict", "tf32", "bf16", "tuned"],
    "private": ["default", "strict", "tf32", "bf16"],
    "lora-private": ["default", "strict", "tf32", "bf16"],
}


class LoraLinear(nn.Module):
    """W x + B A x with W frozen."""

    def __init__(self, base, rank):
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, rank, bias=False)
        self.up = nn.Linear(rank, base.out_features, bias=False)
        nn.init.normal_(self.down.weight, std=1 / rank)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


def add_lora(model, rank):
    """Freezes the model and adapts the four projections of every attention block."""
    model.requires_grad_(False)
    for block in [module for module in model.modules() if isinstance(module, Attention)]:
        block.to_q, block.to_k, block.to_v = (LoraLinear(m, rank) for m in (block.to_q, block.to_k, block.to_v))
        block.to_out[0] = LoraLinear(block.to_out[0], rank)


class Clock:
    """Times a call repeatedly, on the GPU's clock where there is one."""

    def __init__(self, device, seconds):
        self.cuda = device.type == "cuda"
        self.seconds = seconds

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()

    def once(self, call):
        """Milliseconds of one call."""
        if self.cuda:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record()
            call()
            end.record()
            end.synchronize()
            return start.elapsed_time(end)
        before = time.perf_counter()
        call()
        return (time.perf_counter() - before) * 1e3

    def measure(self, call, warm_up, fewest=3, most=30):
        """Milliseconds of as many calls as the time allows, after warm-up."""
        for _ in range(warm_up):
            call()
        self.synchronize()
        first = self.once(call)
        count = max(fewest, min(most, int(self.seconds * 1e3 / max(first, 1e-3))))
        return [self.once(call) for _ in range(count)]


@contextlib.contextmanager
def flags(variant):
    """PyTorch's global switches for one variant, put back afterwards."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32 = variant.get("cudnn_tf32", True)
    matmul.allow_tf32 = variant.get("matmul_tf32", False)
    cudnn.benchmark = variant.get("cudnn_benchmark", False)
    Attention.fused = variant.get("fused", False)
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before
        Attention.fused = False


class Workload:
    """A model, a batch, and one step of them."""

    def __init__(self, config, step, variant, batch, chunk, device):
        torch.manual_seed(0)
        shape = CONFIGS[config]
        size = 28 if config == "unet28" else 32
        self.step, self.variant, self.batch, self.chunk, self.device = step, variant, batch, chunk, device
        self.model = UNet(**shape)
        if step.startswith("lora"):
            add_lora(self.model, LORA_RANK)
        layout = torch.channels_last if variant.get("channels_last") else torch.contiguous_format
        self.model = self.model.to(device).to(memory_format=layout)
        self.x = torch.randn(batch, shape["in_ch"], size, size, device=device).to(memory_format=layout)
        self.target = torch.randn_like(self.x)
        self.t = torch.randint(0, 1000, (batch,), device=device)
        self.y = torch.randint(0, CLASSES, (batch,), device=device)
        self.names = [name for name, p in self.model.named_parameters() if p.requires_grad]
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.trained, LEARNING_RATE, fused=variant.get("fused"))
        self.call = torch.compile(self.model) if variant.get("compile") else self.model

    def autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.variant.get("bf16", False))

    def run(self):
        if self.step == "forward":
            with torch.no_grad(), self.autocast():
                self.call(self.x, self.t, self.y)
        elif self.step.endswith("non-private"):
            self.optimizer.zero_grad()
            with self.autocast():
                loss = F.mse_loss(self.call(self.x, self.t, self.y).float(), self.target)
            loss.backward()
            self.optimizer.step()
        else:
            self.private()

    def private(self):
        """Per-sample gradients by vmap(grad), one flat clip per sample, noise on the sum."""
        fixed = {name: p for name, p in self.model.named_parameters() if not p.requires_grad}
        trained = {name: p.detach() for name, p in zip(self.names, self.trained)}

        def loss(parameters, x, t, y, target):
            with self.autocast():
                output = functional_call(self.model, {**parameters, **fixed}, (x[None], t[None], y[None]))
            return F.mse_loss(output.float(), target[None])

        per_sample = vmap(grad(loss), in_dims=(None, 0, 0, 0, 0))
        sums = [torch.zeros_like(p) for p in self.trained]
        for first in range(0, self.batch, self.chunk):
            part = slice(first, first + self.chunk)
            gradients = per_sample(trained, self.x[part], self.t[part], self.y[part], self.target[part])
            rows = [gradients[name].flatten(1) for name in self.names]
            norms = torch.stack([row.square().sum(1) for row in rows]).sum(0).sqrt()
            factors = (CLIP_NORM / norms).clamp(max=1)
            for total, row in zip(sums, rows):
                total.view(-1).add_(factors @ row)
        for p, total in zip(self.trained, sums):
            noise = torch.randn_like(total).mul_(NOISE_MULTIPLIER * CLIP_NORM)
            p.grad = total.add_(noise).div_(self.batch)
        self.optimizer.step()


def measure_step(arguments, step, name, device, clock):
    """One row of the table; a private step halves its chunk until it fits."""
    variant, private = VARIANTS[name], step.endswith("private") and not step.endswith("non-private")
    chunk = min(arguments.chunk, arguments.batch)
    while True:
        try:
            if device.type == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            with flags(variant):
                workload = Workload(arguments.config, step, variant, arguments.batch, chunk, device)
                times = clock.measure(workload.run, warm_up=1 if private else 3)
            break
        except torch.OutOfMemoryError:
            if not private or chunk == 1:
                raise
            workload = None
            chunk //= 2
    median = statistics.median(times)
    row = {
        "step": step,
        "variant": name,
        "ms": median,
        "best_ms": min(times),
        "images_per_s": arguments.batch / median * 1e3,
        "steps": len(times),
    }
    if private:
        row["chunk"] = chunk
    if device.type == "cuda":
        row["peak_memory_mib"] = torch.cuda.max_memory_allocated() / 2**20
    return row


def measure_gemm(clock, device, m, n, k, layout, precision):
    """TFLOP/s of C[m, n] = A B, row-major; layout nn, nt (B is stored transposed) or tn (A is)."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.randn((k, m) if layout == "tn" else (m, k), device=device, dtype=dtype)
    b = torch.randn((n, k) if layout == "nt" else (k, n), device=device, dtype=dtype)
    c = torch.empty(m, n, device=device, dtype=dtype)
    a, b = (a.T if layout == "tn" else a), (b.T if layout == "nt" else b)
    with flags({"matmul_tf32": precision == "tf32"}):
        ms = measure_many(clock, lambda: torch.matmul(a, b, out=c))
    return {
        "m": m,
        "n": n,
        "k": k,
        "layout": layout,
        "precision": precision,
        "us": ms * 1e3,
        "tflops": 2 * m * n * k / ms * 1e-9,
    }


def measure_many(clock, call):
    """Milliseconds of a call that may be too short to be timed alone: the median over rounds of many."""
    clock.measure(call, warm_up=2, fewest=1, most=1)
    repeats = max(1, min(200, math.ceil(2 / max(clock.once(call), 1e-3))))

    def round_of_calls():
        for _ in range(repeats):
            call()

    return statistics.median(clock.once(round_of_calls) for _ in range(7)) / repeats


def measure_copy(clock, device, elements):
    """Bytes read and written per second by a copy within the device's memory."""
    source = torch.ones(elements, device=device)
    target = torch.empty_like(source)
    ms = measure_many(clock, lambda: target.copy_(source))
    return {"bytes": 2 * source.nbytes, "ms": ms, "gb_per_s": 2 * source.nbytes / ms * 1e-6}


def gemm_shape(text):
    """M,N,K or M,N,K,LAYOUT"""
    match = re.fullmatch(r"(\d+),(\d+),(\d+)(?:,(nn|nt|tn))?", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"expected M,N,K or M,N,K,LAYOUT with LAYOUT nn, nt or tn, got '{text}'")
    return int(match[1]), int(match[2]), int(match[3]), match[4] or "nn"


def gemm_shapes(text):
    return [gemm_shape(part) for part in text.split(";") if part.strip()]


def driver_version():
    try:
        query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def facts(device):
    """What was measured where."""
    cuda = device.type == "cuda"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(device) if cuda else f"{platform.machine()} CPU",
        "compute_capability": ".".join(map(str, torch.cuda.get_device_capability(device))) if cuda else None,
        "driver": driver_version() if cuda else None,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "python": platform.python_version(),
    }


def parse(arguments):
    parser = argparse.ArgumentParser(description="Times steps of the peer UNet, and ceilings of the device.")
    parser.add_argument("--config", choices=sorted(CONFIGS), default="unet32")
    parser.add_argument("--batch", type=int, default=512, help="images per step")
    parser.add_argument("--chunk", type=int, default=128, help="images whose gradients are held at a time")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", default="", help="regular expression for STEP/VARIANT, such as '^private/'")
    parser.add_argument("--compile", action="store_true", help="with torch.compile, which takes a minute or more")
    parser.add_argument("--no-steps", action="store_true", help="ceilings and products only")
    parser.add_argument("--no-ceilings", action="store_true", help="steps (and --gemm-shapes) only")
    parser.add_argument("--gemm-shapes", type=gemm_shapes, default=[], metavar="M,N,K[,LAYOUT];...")
    parser.add_argument("--gemm-size", type=int, default=8192, help="edge of the products of the ceilings")
    parser.add_argument("--seconds", type=float, default=0.7, help="for each row, after its warm-up")
    parser.add_argument("--limit", type=float, default=60, help="seconds after which no further row starts")
    parser.add_argument("--json", default=None, help="file (default: gpu-peer-CONFIG-bBATCH.json)")
    result = parser.parse_args(arguments)
    for name in ("batch", "chunk", "gemm_size", "seconds", "limit"):
        if getattr(result, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be > 0, got {getattr(result, name)}")
    if result.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda needs a GPU that PyTorch sees, and there is none; try --device cpu --batch 2")
    return result


def main(arguments):
    options = parse(arguments)
    # The old names of the TF32 switches: the new ones are not in all versions.
    warnings.filterwarnings("ignore", message=".*TF32.*")
    warnings.filterwarnings("ignore", message=".*NumPy.*")
    device = torch.device(options.device)
    clock = Clock(device, options.seconds)
    start = time.monotonic()
    report = facts(device)
    print(", ".join(f"{key} {value}" for key, value in report.items() if value), flush=True)
    report |= {"config": options.config, "batch": options.batch}
    report |= {"ceilings": [], "products": [], "steps": [], "left_out": []}

    if not options.no_ceilings:
        copy = measure_copy(clock, device, 2**29 if device.type == "cuda" else 2**20)
        report["ceilings"].append({"what": "copy", **copy})
        print(f"\ncopy {copy['gb_per_s']:.0f} GB/s (read and written)")
    edge = options.gemm_size
    ceilings = [] if options.no_ceilings else [(edge, edge, edge, "nn")]
    shapes = [("ceilings", shape) for shape in ceilings] + [("products", shape) for shape in options.gemm_shapes]
    if shapes:
        print(f"\n{'product M x N x K':32}{'precision':>10}{'us':>12}{'TFLOP/s':>10}")
    for kind, (m, n, k, layout) in shapes:
        for precision in ("fp32", "tf32", "bf16"):
            row = measure_gemm(clock, device, m, n, k, layout, precision)
            report[kind].append(row)
            what = f"{m} x {n} x {k} {layout}"
            print(f"{what:32}{precision:>10}{row['us']:12.1f}{row['tflops']:10.1f}", flush=True)

    if not options.no_steps:
        print(f"\n{options.config}, batch {options.batch}")
        print(f"{'step':18}{'variant':16}{'ms':>10}{'images/s':>12}{'MiB':>9}{'steps':>7}")
    rows = [] if options.no_steps else [(step, name) for step, names in STEPS.items() for name in names]
    for step, name in rows:
        if not re.search(options.only, f"{step}/{name}") or ("compile" in VARIANTS[name] and not options.compile):
            continue
        if time.monotonic() - start > options.limit:
            report["left_out"].append(f"{step}/{name}: --limit")
            continue
        try:
            row = measure_step(options, step, name, device, clock)
        except Exception as failure:  # one row must not cost the others: a variant may be missing on a device
            report["left_out"].append(f"{step}/{name}: {type(failure).__name__}: {str(failure).splitlines()[0][:200]}")
            continue
        report["steps"].append(row)
        memory = f"{row['peak_memory_mib']:.0f}" if "peak_memory_mib" in row else ""
        print(f"{step:18}{name:16}{row['ms']:10.2f}{row['images_per_s']:12.0f}{memory:>9}{row['steps']:7}", flush=True)
    for line in report["left_out"]:
        print(f"left out: {line}")
    report["seconds"] = time.monotonic() - start

    path = options.json or f"gpu-peer-{options.config}-b{options.batch}.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    print(f"\n{report['seconds']:.0f} s; all of it in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
