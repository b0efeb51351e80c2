"""Makes features.safetensors: what PyTorch's Inception-v3 computes with weights from a formula, in float64.

    python3 tests-data/inception/make_features.py

Needs PyTorch, torchvision and NumPy. The formula is that of InceptionFiles.java. The variant "torchvision" is the network
of torchvision as it is; "fid" pools as pytorch-fid's does: averages leave out the padding, and the last block takes the
maximum. See README.md.
"""
import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.models import inception

HERE = Path(__file__).parent
MASK = np.uint64(0xFFFFFFFF)


def unit(count, seed):
    """A hash of (index, seed) in [0, 1), with 32-bit arithmetic."""
    h = (np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B1) & MASK) ^ np.uint64(seed)
    h = (h ^ h >> np.uint64(15)) * np.uint64(0x85EBCA6B) & MASK
    h = (h ^ h >> np.uint64(13)) * np.uint64(0xC2B2AE35) & MASK
    h = h ^ h >> np.uint64(16)
    return (h >> np.uint64(8)).astype(np.float64) / (1 << 24)


def values(name, shape):
    count = math.prod(shape)
    seed = 0
    for character in name:
        seed = (seed * 31 + ord(character)) & 0xFFFFFFFF
    low, span = 0.5, 1.0
    if name.endswith("conv.weight"):
        bound = math.sqrt(6 * shape[0] / count)
        low, span = -bound, 2 * bound
    elif name.endswith(("bn.bias", "running_mean")):
        low, span = -0.2, 0.4
    flat = (low + span * unit(count, seed)).astype(np.float32)
    return torch.from_numpy(flat.astype(np.float64).reshape(shape))


class Pools:
    """Stands for torch.nn.functional in torchvision's module and pools as pytorch-fid does."""

    maximum = False

    def __getattr__(self, name):
        return getattr(F, name)

    def avg_pool2d(self, x, kernel_size, stride, padding):
        if self.maximum:
            return F.max_pool2d(x, kernel_size=kernel_size, stride=stride, padding=padding)
        return F.avg_pool2d(x, kernel_size=kernel_size, stride=stride, padding=padding, count_include_pad=False)


def features(fid):
    network = inception.Inception3(aux_logits=False, transform_input=False, init_weights=False).double().eval()
    state = network.state_dict()
    for name in state:
        if name.endswith("num_batches_tracked") or name.startswith("fc."):
            continue
        state[name] = values(name, tuple(state[name].shape))
    network.load_state_dict(state)
    network.fc = torch.nn.Identity()
    pools = Pools()
    inception.F = pools if fid else F
    if fid:
        plain = network.Mixed_7c.forward

        def with_maximum(x):
            pools.maximum = True
            y = plain(x)
            pools.maximum = False
            return y

        network.Mixed_7c.forward = with_maximum
    pixels = unit(299 * 299 * 3, 1).astype(np.float32).astype(np.float64) * 2 - 1
    image = torch.from_numpy(pixels.reshape(1, 299, 299, 3)).permute(0, 3, 1, 2)
    with torch.no_grad():
        return network(image)[0].numpy().astype("<f4")


def main():
    tensors = {"fid": features(True), "torchvision": features(False)}
    header, offset = {"__metadata__": {"torch": torch.__version__}}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": [2048], "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = struct.pack("<Q", len(text)) + text + b"".join(t.tobytes() for t in tensors.values())
    (HERE / "features.safetensors").write_bytes(data)
    for name, tensor in tensors.items():
        print(name, tensor[:4], "mean", tensor.mean(), "zeros", int((tensor == 0).sum()))


main()
