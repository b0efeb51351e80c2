"""Whole steps of Sapwood and of PyTorch on the CPU, in turn, in one sitting: medians and their ratios.

usage: cpu_sitting.py [--rounds 3] [--config unet28] [--batch 64] [--threads 1,2] [--json FILE]

Runs ./sapwood bench step and ../shared/peers/dp_step_torch.py, each in a process of its own, one after the other in
every round; so the machine should do nothing else. Private steps of PyTorch are those of Opacus where it can be imported,
elsewhere those of dp_step_hooks.py, which makes them by the same algorithm.
"""

import argparse
import datetime
import importlib.util
import json
import platform
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared" / "peers"
MODES = {
    "forward": "fwd",
    "non-private": "nonpriv",
    "private": "opacus",
    "lora-non-private": "lora-nonpriv",
    "lora-private": "lora-opacus",
}


def sapwood(config, batch, threads, mode):
    command = [ROOT / "sapwood", "bench", "step", "--config", config, "--batch", batch, "--threads", threads, "--mode", mode]
    out = subprocess.run([*map(str, command), "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def torch(config, batch, threads, mode, opacus):
    script = PEERS / "dp_step_torch.py"
    if "opacus" in mode and not opacus:
        script, mode = ROOT / "bench" / "peers" / "dp_step_hooks.py", mode.replace("opacus", "hooks")
    command = [sys.executable, str(script), config, str(batch), str(threads), mode]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PEERS).stdout
    found = re.search(r"([\d.]+) ms/sample\s+peakRSS (\d+) MiB", out)
    return {"ms_per_image": float(found[1]), "peak_rss_mib": int(found[2])}


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            name = line.split(":")[1].strip()
        if line.startswith("model\t"):
            model = line.split(":")[1].strip()
    return f"{name}, model {model}, {platform.machine()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--config", default="unet28")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    opacus = importlib.util.find_spec("opacus") is not None

    runs = []
    for number in range(options.rounds):
        for threads in map(int, options.threads.split(",")):
            for mode, peer in MODES.items():
                own = sapwood(options.config, options.batch, threads, mode)
                runs.append({"round": number, "who": "sapwood", "threads": threads, "mode": mode, **own})
                other = torch(options.config, options.batch, threads, peer, opacus)
                runs.append({"round": number, "who": "pytorch", "threads": threads, "mode": mode, **other})
                print(json.dumps(runs[-2:]), file=sys.stderr)

    def median(who, threads, mode, field="ms_per_image"):
        values = [r[field] for r in runs if (r["who"], r["threads"], r["mode"]) == (who, threads, mode)]
        return statistics.median(values) if values else None

    table = [
        {
            "threads": threads,
            "mode": mode,
            "sapwood_ms_per_image": median("sapwood", threads, mode),
            "sapwood_peak_rss_mib": median("sapwood", threads, mode, "peak_rss_mib"),
            "pytorch_ms_per_image": median("pytorch", threads, mode),
            "pytorch_peak_rss_mib": median("pytorch", threads, mode, "peak_rss_mib"),
        }
        for threads in map(int, options.threads.split(","))
        for mode in MODES
    ]
    for row in table:
        print(row)
    if options.json:
        result = {
            "what": f"{options.config}, B = {options.batch}: bench/peers/cpu_sitting.py, {options.rounds} rounds, medians;"
            " each run is the median of its steps, of dp_step_torch.py the best",
            "date": datetime.date.today().isoformat(),
            "cpu": cpu(),
            "private_peer": "Opacus" if opacus else "bench/peers/dp_step_hooks.py",
            "medians": table,
            "runs": runs,
        }
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
