#!/usr/bin/env python3
"""The gateway beside HAProxy, nginx and the floor (a relay that knows no HTTP), interleaved.

One worker each on CPU 0; client and backend on CPU 1; 64 keep-alive connections, 200-byte
answers. Two regimes: saturated (each connection sends its next request when it has its answer)
and 2,000 requests/s. CPU time is the proxy's alone. What counts is the median of the rounds'
ratios to HAProxy: absolute figures move with whatever else the machine does.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import common

PROXY_CPU, OTHER_CPU = 0, 1
CONNECTIONS = 64

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
  option http-keep-alive
  http-reuse always
  option forwardfor
frontend front
  bind 127.0.0.1:{port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend back
backend back
  balance random(2)
  server one 127.0.0.1:{backend}
  server two 127.0.0.1:{backend}
"""

NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
error_log {folder}/nginx-error.log crit;
pid {folder}/nginx.pid;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  upstream back {{
    random two least_conn;
    server 127.0.0.1:{backend};
    server 127.0.0.1:{backend};
    keepalive 128;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://back;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }}
  }}
}}
"""


class Peer:
    """One proxy under measurement."""

    def __init__(self, name, command, port, log):
        self.name = name
        self.command = command
        self.port = port
        self.log = log
        self.process = None
        self.rounds = {"saturated": [], "steady": []}
        self.extra = {}

    def start(self):
        self.process = common.Process(self.command, cpu=PROXY_CPU, log=self.log)
        self.process.start()
        try:
            common.wait_accept(self.port, alive=self.process.alive)
        except RuntimeError as error:
            with open(self.log, errors="replace") as file:
                raise RuntimeError(f"{self.name}: {error}: {file.read()[-500:]}") from error
        return time.perf_counter() - self.process.started

    def stop(self):
        if self.process:
            self.process.stop(grace=3)
            self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def workers(self):
        """The processes that serve: of nginx the worker, not its master."""
        pids = self.process.pids()
        return pids[1:] if len(pids) > 1 else pids


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def make_peers(args, folder, backend, backend_socket):
    files = 19900
    peers = []

    def add(name, program, command):
        port = common.free_port()
        if program is None:
            common.say(f"{name}: not installed, left out (apt install {name})")
            return
        peers.append(Peer(name, command(program, port), port, os.path.join(folder, f"{name}.log")))

    def which(name):
        return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    def haproxy(program, port):
        text = HAPROXY.format(port=port, backend=backend, connections=9950)
        return [program, "-db", "-q", "-f", write(os.path.join(folder, "haproxy.cfg"), text)]

    def nginx(program, port):
        text = NGINX.format(port=port, backend=backend, folder=folder, files=files)
        return [program, "-c", write(os.path.join(folder, "nginx.conf"), text)]

    def headroom(address):
        return lambda program, port: [program, "--listen", f"127.0.0.1:{port}", "--threads", "1",
                                      "--backend", address, "--backend", address]

    add("haproxy", which("haproxy"), haproxy)
    add("nginx", which("nginx"), nginx)
    relay = common.program(args.build, "headroom-relay")
    add("relay", relay, lambda program, port: [program, f"127.0.0.1:{port}",
                                               f"127.0.0.1:{backend}"])
    gateway = common.program(args.build, "gateway-only")
    add("headroom", gateway, headroom(f"127.0.0.1:{backend}"))
    if args.unix:
        add("headroom-unix", gateway, headroom(f"unix:{backend_socket}"))
    if args.only:
        peers = [peer for peer in peers if peer.name in args.only.split(",")]
    return peers


def measured(peer, args, *flags):
    """CPU microseconds per request of the proxy, and the driver's answer."""
    pids = peer.process.pids()
    cpu, ticks = common.cpu_nanos(pids), common.user_share(pids)
    answer = common.load(args.build, peer.url, *flags, cpu=OTHER_CPU)
    time.sleep(0.02)  # so that what it still does is counted to it
    cpu = common.cpu_nanos(pids) - cpu
    user, system = common.user_share(pids, ticks)
    count = answer["total"]["answered"]
    micros = cpu / 1000 / count
    share = user / max(user + system, 1)
    return {"cpu": micros, "user": micros * share, "system": micros * (1 - share),
            "rate": answer["rate"], "p50": answer["service_us"]["p50"],
            "p99": answer["service_us"]["p99"]}


def run_rounds(peers, args, direct):
    closed = ["--closed", str(CONNECTIONS), "--requests", str(args.requests)]
    steady = ["--rate", "2000", "--duration", f"{args.steady}s", "--connections", str(CONNECTIONS)]
    for peer in peers:  # connections, caches, branch predictors
        common.load(args.build, peer.url, "--closed", str(CONNECTIONS), "--requests", "5000",
                    cpu=OTHER_CPU)
    for number in range(args.rounds):
        turn = number % len(peers)
        order = peers[turn:] + peers[:turn]  # nobody always comes first
        for peer in order:
            peer.rounds["saturated"].append(measured(peer, args, *closed))
        for peer in order:
            peer.rounds["steady"].append(measured(peer, args, *steady))
        answer = common.load(args.build, direct["url"], *steady, cpu=OTHER_CPU)
        direct["p50"].append(answer["service_us"]["p50"])
        parts = [f"{peer.name} {peer.rounds['saturated'][-1]['cpu']:.1f}" for peer in peers]
        common.say(f"round {number + 1}/{args.rounds}: us per request, saturated: "
                   + "  ".join(parts))


def count_syscalls(peer, args):
    """System calls per request, in a run of its own: counting costs."""
    requests = max(args.requests // 5, 5000)
    pids = [str(pid) for pid in peer.workers()]
    log = peer.log + ".calls"
    if shutil.which("perf"):
        counter = ["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-o", log, "-p",
                   ",".join(pids)]
        pattern = re.compile(r"^(\d+),", re.M)
    elif shutil.which("strace"):
        counter = ["strace", "-c", "-f", "-o", log] + [word for pid in pids for word in ("-p", pid)]
        pattern = re.compile(r"^100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s.*total", re.M)
    else:
        return None
    process = subprocess.Popen(counter, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    common.load(args.build, peer.url, "--closed", str(CONNECTIONS), "--requests", str(requests),
                cpu=OTHER_CPU)
    process.send_signal(signal.SIGINT)
    process.wait(10)
    with open(log) as file:
        found = pattern.search(file.read())
    return int(found.group(1)) / requests if found else None


def measure_rest(peer, args):
    """Start-up time and memory, of fresh processes."""
    starts = []
    for _ in range(args.starts):
        starts.append(peer.start() * 1000)
        peer.stop()
    peer.extra["start_ms"] = common.median(starts)
    peer.start()
    time.sleep(0.3)
    peer.extra["rss_rest_mb"] = common.rss_kib(peer.workers()) / 1024
    if args.idle:
        holder = subprocess.Popen(
            [common.program(args.build, "headroom-load"), peer.url, "--idle", str(args.idle), "-q",
             "--timeout", "30s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = holder.stderr.readline()
        found = re.match(r"idle: (\d+)", line)
        peer.extra["idle"] = int(found.group(1)) if found else 0
        time.sleep(0.5)
        peer.extra["rss_idle_mb"] = common.rss_kib(peer.workers()) / 1024
        holder.send_signal(signal.SIGTERM)
        holder.wait(10)
    peer.stop()


def summarise(peers, direct):
    reference = next((peer for peer in peers if peer.name == "haproxy"), None)
    direct_p50 = common.median(direct["p50"])
    for peer in peers:
        for regime, rounds in peer.rounds.items():
            keys = rounds[0].keys() if rounds else []
            result = {key: common.median([r[key] for r in rounds]) for key in keys}
            result["cpu_least"] = min(r["cpu"] for r in rounds)
            if reference:
                result["ratios"] = [mine["cpu"] / theirs["cpu"] for mine, theirs in
                                    zip(rounds, reference.rounds[regime])]
                result["ratio"] = common.median(result["ratios"])
            peer.extra[regime] = result
        peer.extra["added_p50_us"] = peer.extra["steady"]["p50"] - direct_p50


def show(peers, args, direct):
    def number(value, form="{:.1f}"):
        return "-" if value is None else form.format(value)

    rows = []
    for peer in peers:
        x, full, steady = peer.extra, peer.extra["saturated"], peer.extra["steady"]
        idle = "-"
        if "rss_idle_mb" in x:
            idle = f"{x['rss_rest_mb']:.1f} -> {x['rss_idle_mb']:.1f}"
        rows.append([peer.name, number(full["user"]), number(full["system"]),
                     f"{full['cpu']:.1f} ({full['cpu_least']:.1f})",
                     common.spread(full.get("ratios", [])), number(x.get("syscalls"), "{:.2f}"),
                     f"{steady['cpu']:.1f}", common.spread(steady.get("ratios", [])),
                     number(x["added_p50_us"], "{:.0f}"), idle, number(x["start_ms"])])
    print(f"\n{common.machine()}")
    print(f"{args.rounds} rounds of {args.requests} requests on {CONNECTIONS} connections, and of "
          f"{args.steady} s at 2,000/s; CPU in us per request\n")
    print(common.table(rows, ["", "user", "sys", "total (least)", "/ haproxy (range)", "syscalls",
                              "2000/s", "/ haproxy (range)", "added p50 us",
                              f"RSS MB rest -> {args.idle} idle", "start ms"]))
    ours = next((peer for peer in peers if peer.name == "headroom"), None)
    print(f"\ndirect, without a proxy: p50 {common.median(direct['p50']):.0f} us at 2,000/s")
    if ours and "ratio" in ours.extra["saturated"]:
        for regime, goal in (("saturated", 0.80), ("steady", 0.80)):
            ratio = ours.extra[regime]["ratio"]
            print(f"headroom / haproxy, {regime}: {ratio:.2f} (goal: at most {goal:.2f}) "
                  f"{'met' if ratio <= goal else 'MISSED'}")


def parse():
    parser = common.arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--requests", type=int, default=100_000, help="per saturated run")
    parser.add_argument("--steady", type=int, default=5, help="seconds at 2,000 requests/s")
    parser.add_argument("--idle", type=int, default=9_900,
                        help="idle connections; a proxy holds two descriptors for some; 0: skip")
    parser.add_argument("--starts", type=int, default=5, help="starts to measure the start-up of")
    parser.add_argument("--unix", action="store_true",
                        help="headroom over a Unix socket to the backend, too")
    parser.add_argument("--only", help="these proxies alone, by name, with commas")
    parser.add_argument("--quick", action="store_true", help="3 short rounds: a look, no figure")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.requests, args.steady, args.starts = 3, 20_000, 2, 3
    return args


def main():
    args = parse()
    with common.scratch_folder() as folder:
        service = common.program(args.build, "cpp-service")
        port, path = common.free_port(), os.path.join(folder, "backend.sock")
        tcp = common.Process([service, "--port", str(port)], cpu=OTHER_CPU)
        unix = common.Process([service, "--socket", path], cpu=OTHER_CPU)
        direct = {"url": f"http://127.0.0.1:{port}", "p50": []}
        with tcp, unix:
            common.wait_accept(port)
            peers = make_peers(args, folder, port, path)
            try:
                for peer in peers:
                    common.say(f"{peer.name}: start and memory")
                    measure_rest(peer, args)
                for peer in peers:
                    peer.start()
                run_rounds(peers, args, direct)
                for peer in peers:
                    peer.extra["syscalls"] = count_syscalls(peer, args)
            finally:
                for peer in peers:
                    peer.stop()
    summarise(peers, direct)
    if args.output == "json":
        json.dump({"machine": common.machine(), "rounds": args.rounds,
                   "requests": args.requests, "direct_p50_us": common.median(direct["p50"]),
                   "proxies": {peer.name: peer.extra for peer in peers}}, sys.stdout, indent=2)
        print()
    else:
        show(peers, args, direct)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"bench: {error}")
