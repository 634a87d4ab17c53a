// A made-up week of a few services, told by the same API as Headroom's (docs/api.md). The same time
// gives the same numbers.

const stepMs = 15_000;
const dayMs = 86_400_000;

/** 0 to 1, the same for the same arguments. */
function noise(seed, n) {
  let x = (seed * 374761393 + n * 668265263) | 0;
  x = Math.imul(x ^ (x >>> 13), 1274126177);
  return ((x ^ (x >>> 16)) >>> 0) / 4294967296;
}

const smooth = (seed, t, period) => {
  const n = Math.floor(t / period);
  const f = t / period - n;
  return noise(seed, n) * (1 - f) + noise(seed, n + 1) * f;
};

/** Requests in flight (or a second): a daily wave, slow drift, bursts. */
function loadAt(service, t) {
  if (service.shape === 'none') return 0;
  const seed = service.seed;
  const wave = 0.55 + 0.45 * Math.sin(((t % dayMs) / dayMs) * 2 * Math.PI - 1.2 + seed);
  const drift = 0.6 + 0.8 * smooth(seed, t, 900_000);
  const burst = smooth(seed + 7, t, 240_000) > 0.74 ? 1.9 : 1;
  const jitter = 0.93 + 0.14 * noise(seed + 3, Math.floor(t / 1000));
  return service.peak * wave * drift * burst * jitter;
}

const defaults = {
  min: 1,
  max: 8,
  target: 7,
  of: 'concurrency',
  peak: 22,
  seed: 1,
  shape: 'wave',
  hold: null,
  crashing: false,
  objective: null, // { latencyMs, percentile }
  earlier: null, // { target, agoMs }: another target until then
};

export const scenarios = {
  few: [
    { name: 'checkout', seed: 11, peak: 12, hold: { replicas: 4, why: 'paused' } },
    { name: 'images', seed: 23, of: null, peak: 9, max: 6 },
    { name: 'mail', seed: 31, shape: 'none', min: 0 },
    { name: 'reports', seed: 47, peak: 16, min: 2, crashing: true },
    {
      name: 'search',
      seed: 5,
      of: 'rate',
      target: 150,
      peak: 700,
      max: 12,
      objective: { latencyMs: 40, percentile: 95 },
    },
    {
      name: 'shop',
      seed: 2,
      peak: 26,
      objective: { latencyMs: 60, percentile: 99 },
      earlier: { target: 10, agoMs: 14_400_000 },
    },
  ],
  one: [{ name: 'shop', seed: 2, peak: 26, objective: { latencyMs: 60, percentile: 99 } }],
  many: Array.from({ length: 200 }, (_, i) => ({
    name: `service-${i + 1}`,
    seed: i,
    peak: 4 + (i % 17) * 3,
    crashing: i % 50 === 49,
    shape: i % 7 === 6 ? 'none' : 'wave',
    min: i % 7 === 6 ? 0 : 1,
  })),
  hostile: [
    { name: '<img src=x onerror="window.hacked=1">', seed: 3, hostile: true },
    { name: '"><script>window.hacked=1</script>', seed: 4, hostile: true },
    { name: '__proto__', seed: 6 },
    { name: 'constructor', seed: 7 },
    { name: '../../x?y=1#z&é %2f', seed: 8, hostile: true },
    { name: 'a'.repeat(253), seed: 9, hostile: true },
    { name: '\u202etxet desrever', seed: 10, hostile: true },
  ],
  empty: [],
};

const evil = '</pre><script>window.hacked=1</script><img src=x onerror=window.hacked=1>';

class Service {
  constructor(given, start, now) {
    Object.assign(this, defaults, given);
    this.start = start;
    this.samples = [];
    this.events = [];
    this.decisions = new Map();
    this.wanted = this.min;
    this.recent = [];
    this.instances = [];
    this.nextInstance = 1;
    this.total = { requests: 0, within: 0 };
    this.began = now;
    for (let t = start; t < now; t += stepMs) this.step(t, stepMs);
    this.since = now;
  }

  targetAt = (t) =>
    this.earlier && t < this.began - this.earlier.agoMs ? this.earlier.target : this.target;
  capacity = (t) => (this.of === null ? 7 : this.targetAt(t));

  /** What the load asks for, held for two minutes on its way down. */
  step(t, span) {
    const load = loadAt(this, t);
    const asks = this.shape === 'none' ? this.min : Math.ceil(load / this.capacity(t));
    const most = Math.max(this.min, Math.min(this.max, asks));
    this.recent = this.recent.filter((past) => t - past.t < 120_000);
    this.recent.push({ t, replicas: most });
    const stable = Math.max(...this.recent.map((past) => past.replicas));
    const wanted = this.hold ? this.hold.replicas : stable;
    if (wanted !== this.wanted) this.rescale(t, load, asks, most, stable, wanted);
    this.wanted = wanted;
    this.move(t);
    this.now = this.look(t, load, asks, most, stable, span);
    if (span === stepMs) this.samples.push(this.now);
    else if (t - (this.samples.at(-1)?.unixMs ?? 0) >= stepMs) this.samples.push(this.now);
  }

  rescale(t, load, asks, most, stable, wanted) {
    const id = ++Service.lastDecision;
    const decision = this.decide(id, t, load, asks, most, stable, this.wanted, wanted);
    this.decisions.set(id, decision);
    this.tell(t, 'rescale', `${this.wanted} → ${wanted} replicas: ${decision.reason}`, id);
  }

  tell(t, kind, text, decision = null) {
    const event = {
      id: ++Service.lastEvent,
      unixMs: t,
      autoscaler: this.name,
      kind,
      text,
      decision,
    };
    this.events.push(event);
    Service.told?.(event);
  }

  decide(id, t, load, asks, most, stable, before, after) {
    const steps = [];
    const step = (stage, code, from, to, text, inputs = {}) =>
      steps.push({
        stage,
        code,
        before: from,
        after: to,
        text,
        holds: ['Pinned', 'ScaleDownStabilized', 'TooFewReplicas', 'TooManyReplicas'].includes(
          code,
        ),
        inputs,
      });
    if (this.of === null)
      step(
        'recommend',
        'Utilization',
        before,
        asks,
        `cpu ${Math.round((load / (before || 1) / 7) * 70)}% of 70% → ${asks} replicas`,
        { percent: 83, target: 70, filledIn: 0, ratio: 1.19 },
      );
    else if (this.of === 'rate')
      step(
        'recommend',
        'RequestRate',
        before,
        asks,
        `${load.toFixed(0)} requests/s over 60 s of ${this.targetAt(t)} per replica → ${asks} replicas`,
        { rate: load },
      );
    else {
      // A burst is seen in the panic window first.
      const slowly = asks > before ? before : asks;
      const seen = asks > before ? before * this.targetAt(t) * 0.97 : load;
      step(
        'recommend',
        'Concurrency',
        before,
        slowly,
        `concurrency ${seen.toFixed(1)} over 60 s of ${this.targetAt(t)} per replica → ${slowly} replicas`,
      );
      if (asks > before)
        step(
          'recommend',
          'Panic',
          slowly,
          asks,
          `panic: concurrency ${load.toFixed(1)} over 6 s of ${this.targetAt(t)} per replica → ${asks} replicas`,
        );
    }
    if (asks > this.max)
      step('limit', 'TooManyReplicas', asks, most, `at most ${this.max} → ${most} replicas`, {
        limit: this.max,
      });
    if (asks < this.min)
      step('limit', 'TooFewReplicas', asks, most, `at least ${this.min} → ${most} replicas`, {
        limit: this.min,
      });
    if (stable > most)
      step(
        'stabilise',
        'ScaleDownStabilized',
        most,
        stable,
        `held at ${stable} by the 120 s window`,
        { seconds: 120 },
      );
    if (this.hold)
      step(
        'limit',
        'Pinned',
        stable,
        after,
        `${this.hold.why} at ${this.hold.replicas} by an operator`,
      );
    const reason =
      steps
        .filter((each) => each.before !== each.after)
        .map((each) => each.text)
        .join('; ') || steps[0].text;
    return {
      id,
      autoscaler: this.name,
      unixMs: t,
      before,
      after,
      reason: this.hostile ? reason + evil : reason,
      outcome: before === after ? null : `reached after ${12 + Math.round(noise(id, 1) * 30)}ms`,
      steps: this.hostile
        ? steps.map((each) => ({ ...each, text: each.text + evil, stage: each.stage + '<b>' }))
        : steps,
      conditions: [
        {
          type: 'AbleToScale',
          status: 'True',
          reason: stable > most ? 'ScaleDownStabilized' : 'ReadyForNewScale',
          message:
            stable > most ? 'held by the scale-down window' : 'the last recommendation stands',
        },
        {
          type: 'ScalingActive',
          status: 'True',
          reason: 'ValidMetricFound',
          message: 'a number of replicas could be calculated',
        },
        asks > this.max
          ? {
              type: 'ScalingLimited',
              status: 'True',
              reason: 'TooManyReplicas',
              message: `at most ${this.max} → ${most} replicas`,
            }
          : {
              type: 'ScalingLimited',
              status: 'False',
              reason: 'DesiredWithinRange',
              message: 'the desired count is within the acceptable range',
            },
      ],
    };
  }

  /** Replicas come and go one after the other. */
  move(t) {
    for (const each of this.instances) {
      if (each.state === 'starting' && t - each.born > 900) this.become(t, each, 'ready');
      if (
        each.state === 'ready' &&
        this.crashing &&
        each === this.instances[1] &&
        t - each.changed > 25_000
      )
        this.become(t, each, 'backingOff');
      if (each.state === 'backingOff' && t - each.changed > 20_000) {
        each.restarts++;
        each.born = t;
        this.become(t, each, 'starting');
      }
      if (each.state === 'draining' && t - each.changed > 2500) {
        each.state = 'gone';
        this.tell(t, 'gone', `replica ${each.id} gone`);
      }
    }
    this.instances = this.instances.filter((each) => each.state !== 'gone');
    const present = this.instances.filter((each) => each.state !== 'draining');
    for (let i = present.length; i < this.wanted; ++i) {
      this.instances.push({
        id: this.nextInstance++,
        state: 'starting',
        born: t,
        changed: t,
        restarts: 0,
      });
    }
    for (const each of present.slice(this.wanted)) this.become(t, each, 'draining');
  }

  become(t, instance, state) {
    instance.state = state;
    instance.changed = t;
    if (state === 'ready')
      this.tell(t, 'ready', `replica ${instance.id} ready after ${4 + (instance.id % 9)}ms`);
    if (state === 'draining')
      this.tell(t, 'draining', `replica ${instance.id} drains, ${instance.id % 4} open`);
    if (state === 'backingOff')
      this.tell(
        t,
        'trouble',
        `replica ${instance.id} exited with status 1; last output: cannot connect to db:5432${this.hostile ? evil : ''}`,
      );
  }

  /** How many of the requests of this time were within the objective. */
  judge(span, rate, p95, p99) {
    if (!this.objective) return null;
    const { latencyMs } = this.objective;
    const requests = Math.round((rate * span) / 1000);
    const share = latencyMs >= p99 ? 0.996 : latencyMs >= p95 ? 0.97 : 0.86;
    const within = Math.round(requests * share);
    this.total.requests += requests;
    this.total.within += within;
    return { ...this.objective, requests, within };
  }

  look(t, load, asks, most, stable, span) {
    const ready = this.instances.filter((each) => each.state === 'ready').length;
    const share = load / Math.max(1, ready * this.capacity(t));
    const slow =
      4 *
      (1 + Math.max(0, share - 0.6) ** 2 * 12) *
      (0.9 + 0.2 * noise(this.seed + 5, Math.floor(t / 1000)));
    const quiet = this.shape === 'none';
    this.asks = { load, asks, most, stable };
    return {
      unixMs: t,
      wanted: this.wanted,
      ready,
      concurrency: this.of === 'rate' ? load * 0.02 : load,
      rate: this.of === 'rate' ? load : load * 21,
      waiting: quiet ? 0 : Math.max(0, Math.round(load - ready * this.capacity(t) * 1.45)),
      p50Ms: quiet ? null : slow,
      p95Ms: quiet ? null : slow * (2.1 + share),
      p99Ms: quiet ? null : slow * (3 + 2.5 * share ** 3),
      failed: this.crashing && noise(this.seed, Math.floor(t / 1000)) > 0.93 ? 1 : 0,
      cpu: ready * Math.min(1, 0.08 + 0.5 * share),
      memory: ready * (46 + 10 * smooth(this.seed, t, 600_000)) * 1048576,
      target: this.of === null ? null : { value: this.targetAt(t), of: this.of },
      objective: this.judge(
        span,
        this.of === 'rate' ? load : load * 21,
        slow * (2.1 + share),
        slow * (3 + 2.5 * share ** 3),
      ),
    };
  }

  keptObjective(look) {
    if (!this.objective) return null;
    const judged = (of) => ({ ...of, share: of.requests ? of.within / of.requests : null });
    const last = this.samples.slice(-20);
    const sum = (key) => last.reduce((all, sample) => all + sample.objective[key], 0);
    const recent = judged({ requests: sum('requests'), within: sum('within') });
    return {
      ...this.objective,
      atPercentileMs: look.p99Ms,
      recent,
      recentMs: 300_000,
      missed: recent.within * 100 < this.objective.percentile * recent.requests,
      total: judged(this.total),
    };
  }

  /** One of the words of src/server/health.h. */
  state(ready) {
    const starting = this.wanted - ready;
    if (this.instances.some((each) => each.state === 'backingOff' || each.restarts > 0))
      return { name: 'crashing', mood: 'bad', why: '1 replica failed lately' };
    if (this.asks.asks > this.max)
      return {
        name: 'at its limit',
        mood: 'warning',
        why: `the load asks for more than the ${this.max} replicas allowed`,
      };
    if (this.hold)
      return { name: 'paused', mood: 'held', why: `at ${this.hold.replicas} replicas` };
    if (starting > 0)
      return { name: 'scaling up', mood: 'moving', why: `${starting} more replicas starting` };
    if (starting < 0)
      return { name: 'scaling down', mood: 'moving', why: `${-starting} replicas finishing` };
    return this.wanted === 0
      ? { name: 'asleep', mood: 'quiet', why: 'the next request starts a replica' }
      : { name: 'steady', mood: 'good', why: `${ready} replicas ready` };
  }

  autoscaler(now) {
    const look = this.now;
    const counts = (state) => this.instances.filter((each) => each.state === state).length;
    const ready = Math.max(1, counts('ready'));
    const { load, asks, most, stable } = this.asks;
    return {
      name: this.name,
      state: this.state(counts('ready')),
      listening: `127.0.0.1:${8000 + this.seed}`,
      minReplicas: this.min,
      maxReplicas: this.max,
      target: this.of === null ? null : { value: this.target, of: this.of },
      replicas: {
        wanted: this.wanted,
        ready: counts('ready'),
        starting: counts('starting'),
        draining: counts('draining'),
        backingOff: counts('backingOff'),
      },
      load: {
        concurrency: look.concurrency,
        rate: look.rate,
        waiting: look.waiting,
        running: Math.round(look.concurrency),
      },
      latency:
        look.p50Ms === null ? null : { p50Ms: look.p50Ms, p95Ms: look.p95Ms, p99Ms: look.p99Ms },
      objective: this.keptObjective(look),
      requests: {
        completed: Math.round((now - this.start) / 90),
        failed: this.crashing ? Math.floor((now - this.since) / 9000) : 0,
        rejected: 0,
        failedRecently: this.crashing ? 6 : 0,
        recentMs: 60_000,
      },
      hold: this.hold
        ? {
            replicas: this.hold.replicas,
            untilUnixMs: this.hold.untilUnixMs ?? null,
            why: this.hold.why,
          }
        : null,
      decision: this.decide(
        Service.lastDecision,
        now,
        load,
        asks,
        most,
        stable,
        this.wanted,
        this.wanted,
      ),
      instances: this.instances.map((each) => ({
        id: each.id,
        state: each.state,
        pid: each.state === 'backingOff' ? null : 4700 + each.id,
        ageMs: now - each.born,
        restarts: each.restarts,
        cpu:
          each.state === 'ready'
            ? (look.cpu / ready) * (0.9 + 0.2 * noise(each.id, Math.floor(now / 1000)))
            : 0,
        memory: (look.memory / ready) * (0.95 + 0.1 * noise(each.id, 1)),
        outstanding:
          each.state === 'ready'
            ? Math.max(
                0,
                Math.round(
                  look.concurrency / ready + 2 * noise(each.id, Math.floor(now / 1000)) - 1,
                ),
              )
            : 0,
      })),
    };
  }

  history(since, until) {
    const inside = this.samples.filter(
      (sample) => sample.unixMs >= since && sample.unixMs <= until,
    );
    const group = Math.max(1, Math.ceil(inside.length / 2000));
    const samples = [];
    for (let i = 0; i < inside.length; i += group) {
      const part = inside.slice(i, i + group);
      const each = (key) => part.map((sample) => sample[key]).filter((value) => value !== null);
      const mean = (key) =>
        each(key).length ? each(key).reduce((a, b) => a + b, 0) / each(key).length : null;
      const most = (key) => (each(key).length ? Math.max(...each(key)) : null);
      samples.push({
        unixMs: part[0].unixMs,
        wanted: most('wanted'),
        ready: most('ready'),
        concurrency: mean('concurrency'),
        rate: mean('rate'),
        waiting: most('waiting'),
        p50Ms: mean('p50Ms'),
        p95Ms: most('p95Ms'),
        p99Ms: most('p99Ms'),
        failed: each('failed').reduce((a, b) => a + b, 0),
        cpu: mean('cpu'),
        memory: mean('memory'),
        target: part.at(-1).target,
        objective: this.objective && {
          ...this.objective,
          requests: part.reduce((all, sample) => all + sample.objective.requests, 0),
          within: part.reduce((all, sample) => all + sample.objective.within, 0),
        },
      });
    }
    return { stepMs: stepMs * group, samples };
  }

  output(id, after) {
    const lines = Array.from(
      { length: 12 },
      (_, i) =>
        `${new Date(this.since + i * 700).toISOString()} \x1b[32minfo\x1b[0m replica ${id}: GET /cart/${i} 200 in ${(2 + noise(id, i) * 30).toFixed(1)} ms`,
    );
    if (this.hostile)
      lines.push(evil, '\x1b]0;title\x07\x1b[2J\x00\u202egnp.exe', 'x'.repeat(5000));
    const text = lines.join('\n') + '\n';
    return after === undefined ? { text, end: text.length } : { text: '', end: Number(after) };
  }
}
Service.lastDecision = 1000;
Service.lastEvent = 0;
Service.told = null;

/** A scenario that goes on from `now`; what happens is told to `told`. */
export function play(name, now, pastMs, told) {
  const services = scenarios[name].map((given) => new Service(given, now - pastMs, now));
  const held = services.find((service) => service.hold);
  held?.tell(now - 8 * 60_000, 'operator', `${held.hold.why} at ${held.hold.replicas} replicas`);
  for (const service of services) service.events.sort((a, b) => a.unixMs - b.unixMs);
  Service.told = told;
  return {
    find: (wanted) => services.find((service) => service.name === wanted),
    services,
    tick: (t) => services.forEach((service) => service.step(t, 1000)),
    status: (t) => ({
      version: '0.1.0',
      nowUnixMs: t,
      autoscalers: services.map((service) => service.autoscaler(t)),
    }),
    events: () => services.flatMap((service) => service.events),
    decision: (id) => services.map((service) => service.decisions.get(id)).find(Boolean),
  };
}
