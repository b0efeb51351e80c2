"""Makes the parity cases in this folder: one step, example by example, in float64 PyTorch.

    python3 tests-data/parity/make_cases.py ../shared/peers

The argument is the folder that holds unet_torch.py, the peer network. Needs PyTorch and NumPy only. See README.md.
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, sys.argv[1])
import unet_torch  # noqa: E402

HERE = Path(__file__).parent
DTYPES = {np.dtype("float16"): "F16", np.dtype("float32"): "F32", np.dtype("int64"): "I64"}


def write_safetensors(path, tensors):
    """tensors: name -> NumPy array. Wider types first, so that everything is aligned."""
    ordered = sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize)
    header, offset = {}, 0
    for name, array in ordered:
        header[name] = dict(dtype=DTYPES[array.dtype], shape=list(array.shape),
                            data_offsets=[offset, offset + array.nbytes])
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(np.ascontiguousarray(array).tobytes() for _, array in ordered)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


class LowRank(nn.Module):
    """base(x) + scale * B(A(x)); for a convolution A has the base's geometry and B is 1x1 (LoCon)."""

    def __init__(self, base, rank, scale):
        super().__init__()
        self.base, self.scale = base, scale
        if isinstance(base, nn.Conv2d):
            self.lora_A = nn.Conv2d(base.in_channels, rank, base.kernel_size, base.stride, base.padding, bias=False)
            self.lora_B = nn.Conv2d(rank, base.out_channels, 1, bias=False)
        else:
            self.lora_A = nn.Linear(base.in_features, rank, bias=False)
            self.lora_B = nn.Linear(rank, base.out_features, bias=False)

    def forward(self, x):
        return self.base(x) + self.scale * self.lora_B(self.lora_A(x))


class PadBottomRight(nn.Module):
    """diffusers' downsample_padding = 0."""

    def __init__(self, conv):
        super().__init__()
        self.conv = conv
        self.conv.padding = (0, 0)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


def sine_first_shifted(t, dim, max_period=10000):
    """flip_sin_to_cos = False, freq_shift = 1."""
    half = dim // 2
    dt = torch.get_default_dtype()
    freqs = torch.exp(-math.log(max_period) * torch.arange(half, dtype=dt) / (half - 1))
    args = t.to(dt)[:, None] * freqs[None]
    return torch.cat([torch.sin(args), torch.cos(args)], dim=-1)


def disk_name(name):
    return name.replace(".base.", ".")


def make(name, size, batch, seed, trainable, clip_norm, lora=(), rank=0, scale=1.0, ddpm_style=False,
         mid_attention=True, **net):
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float64)
    cosine_first = unet_torch.timestep_embedding
    model = unet_torch.UNet(**net)
    if not mid_attention:
        model.mid_block.attentions[0] = nn.Identity()
    if ddpm_style:
        unet_torch.timestep_embedding = sine_first_shifted
        for block in model.down_blocks:
            if hasattr(block, "downsamplers"):
                block.downsamplers[0] = PadBottomRight(block.downsamplers[0].conv)
    for path in lora:
        parent, _, leaf = path.rpartition(".")
        parent = model.get_submodule(parent)
        setattr(parent, leaf, LowRank(getattr(parent, leaf), rank, scale))
    epsilon = 1e-6 if ddpm_style else 1e-5
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.GroupNorm):
                module.eps = epsilon
                module.weight += 0.3 * torch.randn_like(module.weight)
                module.bias += 0.3 * torch.randn_like(module.bias)
        for parameter in model.parameters():
            parameter.copy_(parameter.half().double())  # stored as float16, so that the file is exact and small

    parameters = {disk_name(n): p for n, p in model.named_parameters()}
    chosen = {n: p for n, p in parameters.items()
              if trainable == "all" or (".attentions." in n if trainable == "attention" else ".lora_" in n)}
    channels, classes = net["in_ch"], net["classes"]
    x = torch.randn(batch, channels, size, size).float()
    target = torch.randn(batch, net["out_ch"], size, size).float()
    t = torch.randint(0, 1000, (batch,))
    y = torch.randint(0, classes + 1, (batch,)) if classes else None

    outputs, losses, norms = [], [], []
    total = {n: torch.zeros_like(p) for n, p in chosen.items()}
    for i in range(batch):
        output = model(x[i:i + 1].double(), t[i:i + 1], None if y is None else y[i:i + 1])
        loss = ((output - target[i:i + 1].double()) ** 2).mean()
        gradients = torch.autograd.grad(loss, list(chosen.values()))
        norm = math.sqrt(sum(float((g ** 2).sum()) for g in gradients))
        for n, g in zip(chosen, gradients):
            total[n] += g * min(1.0, clip_norm / norm)
        outputs.append(output.detach()[0])
        losses.append(float(loss))
        norms.append(norm)
    unet_torch.timestep_embedding = cosine_first

    folder = HERE / name
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "weights.safetensors",
                      {n: p.detach().numpy().astype("float16") for n, p in parameters.items()})
    inputs = dict(x=x.numpy(), t=t.numpy(), target=target.numpy())
    if y is not None:
        inputs["y"] = y.numpy()
    write_safetensors(folder / "batch.safetensors", inputs)
    expected = {"output": torch.stack(outputs), "loss": torch.tensor(losses), "grad_norm": torch.tensor(norms)}
    expected |= {"clipped_grad_sum." + n: g for n, g in total.items()}
    write_safetensors(folder / "expected.safetensors", {n: v.numpy().astype("float32") for n, v in expected.items()})
    attention = net["attn"]
    config = {
        "_class_name": "UNet2DModel", "sample_size": size, "in_channels": channels, "out_channels": net["out_ch"],
        "block_out_channels": list(net["chans"]), "layers_per_block": net["layers"],
        "down_block_types": ["AttnDownBlock2D" if a else "DownBlock2D" for a in attention],
        "up_block_types": ["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attention)],
        "add_attention": mid_attention, "attention_head_dim": net["head_dim"], "norm_num_groups": net["groups"],
        "norm_eps": epsilon, "num_class_embeds": classes + 1 if classes else None, "act_fn": "silu",
        "time_embedding_type": "positional", "flip_sin_to_cos": not ddpm_style, "freq_shift": int(ddpm_style),
        "downsample_padding": 0 if ddpm_style else 1, "mid_block_scale_factor": 1,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    case = dict(clip_norm=clip_norm, trainable=trainable, lora_rank=rank, lora_scale=scale, loss=losses,
                grad_norm=norms)
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")
    print(name, sum(p.numel() for p in model.parameters()), "weights, norms", [round(n, 3) for n in norms])


if __name__ == "__main__":
    make("colour12-two-layers", size=12, batch=3, seed=1, trainable="all", clip_norm=1.4, in_ch=3, out_ch=3,
         chans=(8, 12), layers=2, attn=(False, True), head_dim=6, groups=4, classes=5)
    make("grey8-ddpm-style", size=8, batch=2, seed=2, trainable="all", clip_norm=3.0, ddpm_style=True,
         mid_attention=False, in_ch=1, out_ch=1, chans=(6, 6, 12), layers=1, attn=(False, False, False), head_dim=6,
         groups=3, classes=0)
    make("two-channel10-attention", size=10, batch=3, seed=3, trainable="attention", clip_norm=0.4, in_ch=2, out_ch=1,
         chans=(8, 16), layers=1, attn=(True, False), head_dim=4, groups=2, classes=0)
    make("colour8-lora", size=8, batch=4, seed=4, trainable="lora", clip_norm=0.2, rank=3, scale=0.5, in_ch=3,
         out_ch=3, chans=(8, 16), layers=1, attn=(False, True), head_dim=16, groups=4, classes=2,
         lora=("time_embedding.linear_1", "down_blocks.1.resnets.0.time_emb_proj", "down_blocks.1.attentions.0.to_q",
               "mid_block.attentions.0.to_out.0", "up_blocks.0.attentions.1.to_v", "down_blocks.0.downsamplers.0.conv",
               "up_blocks.1.resnets.0.conv1", "up_blocks.1.resnets.0.conv_shortcut", "conv_out"))
