"""Peer model: a compact UNet2D in PyTorch with diffusers' parameter names, written for side-by-side checks.

Provenance: the model of the CPU peers (../shared/peers/unet_torch.py in HOWTO.md), written for this project. Added here:
timesteps are embedded on their own device, and attention can be PyTorch's fused one.
"""
import math
import torch
from torch import nn
import torch.nn.functional as F


def timestep_embedding(t, dim, max_period=10000):
    half = dim // 2
    dt = torch.get_default_dtype()
    freqs = torch.exp(-math.log(max_period) * torch.arange(half, dtype=dt, device=t.device) / half)
    args = t.to(dt)[:, None] * freqs[None]
    return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)  # flip_sin_to_cos=True, freq_shift=0


class Resnet(nn.Module):
    def __init__(self, cin, cout, temb, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(min(groups, cin), cin, eps=1e-5)
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.time_emb_proj = nn.Linear(temb, cout)
        self.norm2 = nn.GroupNorm(groups, cout, eps=1e-5)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else None

    def forward(self, x, temb):
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    fused = False  # whether to call scaled_dot_product_attention

    def __init__(self, ch, head_dim, groups):
        super().__init__()
        self.heads = ch // head_dim
        self.group_norm = nn.GroupNorm(groups, ch, eps=1e-5)
        self.to_q = nn.Linear(ch, ch)
        self.to_k = nn.Linear(ch, ch)
        self.to_v = nn.Linear(ch, ch)
        self.to_out = nn.ModuleList([nn.Linear(ch, ch), nn.Identity()])

    def forward(self, x):
        b, c, h, w = x.shape
        y = self.group_norm(x).reshape(b, c, h * w).transpose(1, 2)
        q, k, v = (m(y).reshape(b, h * w, self.heads, c // self.heads).transpose(1, 2) for m in (self.to_q, self.to_k, self.to_v))
        if self.fused:
            a = F.scaled_dot_product_attention(q, k, v)
        else:
            a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(c // self.heads), -1) @ v
        y = self.to_out[0](a.transpose(1, 2).reshape(b, h * w, c))
        return y.transpose(1, 2).reshape(b, c, h, w) + x


class Down(nn.Module):
    def __init__(self, c): super().__init__(); self.conv = nn.Conv2d(c, c, 3, stride=2, padding=1)
    def forward(self, x): return self.conv(x)


class Up(nn.Module):
    def __init__(self, c): super().__init__(); self.conv = nn.Conv2d(c, c, 3, padding=1)
    def forward(self, x): return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Block(nn.Module):
    def __init__(self): super().__init__(); self.resnets = nn.ModuleList(); self.attentions = nn.ModuleList()


class TimeEmb(nn.Module):
    def __init__(self, cin, cout): super().__init__(); self.linear_1 = nn.Linear(cin, cout); self.linear_2 = nn.Linear(cout, cout)
    def forward(self, x): return self.linear_2(F.silu(self.linear_1(x)))


class UNet(nn.Module):
    def __init__(self, in_ch=1, out_ch=1, chans=(32, 64, 64), layers=1, attn=(False, False, True), head_dim=16, groups=8, classes=10):
        super().__init__()
        temb = chans[0] * 4
        self.c0 = chans[0]
        self.conv_in = nn.Conv2d(in_ch, chans[0], 3, padding=1)
        self.time_embedding = TimeEmb(chans[0], temb)
        self.class_embedding = nn.Embedding(classes + 1, temb) if classes else None
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        skips, c = [chans[0]], chans[0]
        for i, co in enumerate(chans):
            b = Block()
            for _ in range(layers):
                b.resnets.append(Resnet(c, co, temb, groups)); c = co
                if attn[i]: b.attentions.append(Attention(c, head_dim, groups))
                skips.append(c)
            if i < len(chans) - 1:
                b.downsamplers = nn.ModuleList([Down(c)]); skips.append(c)
            self.down_blocks.append(b)
        self.mid_block = Block()
        self.mid_block.resnets.append(Resnet(c, c, temb, groups))
        self.mid_block.attentions.append(Attention(c, head_dim, groups))
        self.mid_block.resnets.append(Resnet(c, c, temb, groups))
        for i, co in reversed(list(enumerate(chans))):
            b = Block()
            for _ in range(layers + 1):
                b.resnets.append(Resnet(c + skips.pop(), co, temb, groups)); c = co
                if attn[i]: b.attentions.append(Attention(c, head_dim, groups))
            if i > 0: b.upsamplers = nn.ModuleList([Up(c)])
            self.up_blocks.append(b)
        self.conv_norm_out = nn.GroupNorm(groups, c, eps=1e-5)
        self.conv_out = nn.Conv2d(c, out_ch, 3, padding=1)

    def forward(self, x, t, y=None):
        temb = self.time_embedding(timestep_embedding(t, self.c0))
        if self.class_embedding is not None and y is not None: temb = temb + self.class_embedding(y)
        h = self.conv_in(x); hs = [h]
        for b in self.down_blocks:
            for j, r in enumerate(b.resnets):
                h = r(h, temb)
                if len(b.attentions): h = b.attentions[j](h)
                hs.append(h)
            if hasattr(b, "downsamplers"): h = b.downsamplers[0](h); hs.append(h)
        m = self.mid_block
        h = m.resnets[1](m.attentions[0](m.resnets[0](h, temb)), temb)
        for b in self.up_blocks:
            for j, r in enumerate(b.resnets):
                h = r(torch.cat([h, hs.pop()], 1), temb)
                if len(b.attentions): h = b.attentions[j](h)
            if hasattr(b, "upsamplers"): h = b.upsamplers[0](h)
        return self.conv_out(F.silu(self.conv_norm_out(h)))


CONFIGS = {
    "unet28": dict(in_ch=1, out_ch=1, chans=(32, 64, 64), layers=1, attn=(False, False, True)),
    "unet32": dict(in_ch=3, out_ch=3, chans=(64, 128, 128), layers=1, attn=(False, True, True), head_dim=32),
}

if __name__ == "__main__":
    for k, v in CONFIGS.items():
        m = UNet(**v)
        s = 28 if k == "unet28" else 32
        out = m(torch.randn(2, v["in_ch"], s, s), torch.tensor([1, 5]), torch.tensor([0, 3]))
        print(k, sum(p.numel() for p in m.parameters()), tuple(out.shape), "attention", sum(p.numel() for n, p in m.named_parameters() if "attentions" in n))
