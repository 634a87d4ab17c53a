/** One service's samples over time: what the server kept, and what came live since. Pure. */

import type { Autoscaler, History, HistorySample, Target } from './api.js';

/** A sample, and for how long it stands. */
export interface Sample extends HistorySample {
  spanMs: number;
}

// Between two statuses. A page that slept for longer does not know what was meanwhile.
const slowestMs = 15_000;

const averaged = ['concurrency', 'rate', 'cpu', 'memory'] as const;
const largest = ['wanted', 'ready', 'waiting', 'p50Ms', 'p95Ms', 'p99Ms'] as const;

/** Of those that are known; of none at all it is 0. */
const sum = (values: (number | null)[]) => {
  if (!values.length) return 0;
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((all, value) => all + value, 0) : null;
};

/** What a look at the service says, as a sample of history would. `failed` is of the time since `before`. */
export function sampleOf(service: Autoscaler, unixMs: number, before?: Autoscaler): HistorySample {
  const objective = service.objective;
  const judged = objective?.total;
  const judgedBefore = before?.objective?.total;
  return {
    unixMs,
    wanted: service.replicas.wanted,
    ready: service.replicas.ready,
    concurrency: service.load?.concurrency ?? null,
    rate: service.load?.rate ?? null,
    waiting: service.load?.waiting ?? null,
    p50Ms: service.latency?.p50Ms ?? null,
    p95Ms: service.latency?.p95Ms ?? null,
    p99Ms: service.latency?.p99Ms ?? null,
    failed: since(before?.requests?.failed, service.requests?.failed),
    cpu: sum(service.instances.map((instance) => instance.cpu)),
    memory: sum(service.instances.map((instance) => instance.memory)),
    target: service.target,
    objective: objective && {
      latencyMs: objective.latencyMs,
      percentile: objective.percentile,
      requests: since(judgedBefore?.requests, judged?.requests),
      within: since(judgedBefore?.within, judged?.within),
    },
  };
}

/** What a counter counted between; it starts anew with the process. */
const since = (before: number | undefined, now: number | undefined) =>
  before === undefined || now === undefined ? null : now >= before ? now - before : now;

/** What the ready replicas were meant to take, of the kind that is drawn; null: not known. */
export const roomOf = (sample: HistorySample, of: Target['of']) =>
  sample.ready !== null && sample.target?.of === of ? sample.ready * sample.target.value : null;

/** The share of its requests that were within the objective; null: there is none, or were none. */
export const shareOf = ({ objective }: HistorySample) =>
  objective?.requests && objective.within !== null ? objective.within / objective.requests : null;

/** Fewer of its requests were within the objective than are to be. */
export const missed = ({ objective }: HistorySample): boolean =>
  objective !== null &&
  objective.within !== null &&
  // Less a hair: 99.9 is no number of a computer's.
  objective.within * 100 < objective.percentile * (objective.requests ?? 0) * (1 - 1e-12);

/**
 * Samples in order of time. Live ones that fall into one bucket are one sample, so that a range of
 * any length has a bounded number of them.
 */
export class Series {
  private kept: Sample[] = [];
  private live: Sample[] = [];
  private inBucket = 0; // live samples that the last one is made of
  private bridgeMs = 0; // what may be missing between history and the first live sample

  constructor(private readonly bucketMs: number) {}

  get samples(): readonly Sample[] {
    return this.kept.concat(this.live);
  }

  /**
   * Takes what the server kept of the time before the first live sample. Its newest steps are not
   * among them until they are over and written; `joined`: nothing was lost in between.
   */
  load(history: History, joined: boolean): void {
    const first = this.live[0]?.unixMs ?? Infinity;
    this.kept = history.samples
      .filter((sample) => sample.unixMs < first)
      .map((sample) => ({ ...sample, spanMs: history.stepMs }));
    this.bridgeMs = joined ? 2.5 * history.stepMs : 0;
    this.join();
  }

  /** The last step of history ends where the first live sample begins. */
  private join(): void {
    const last = this.kept[this.kept.length - 1];
    const first = this.live[0];
    if (!last || !first) return;
    const between = first.unixMs - last.unixMs;
    const missing = between - last.spanMs;
    if (missing <= this.bridgeMs) last.spanMs = Math.max(1, between);
  }

  /** `joined`: the connection was not lost since the one before; over a slow line fewer come. */
  add(sample: HistorySample, joined = false): void {
    const start = Math.floor(sample.unixMs / this.bucketMs) * this.bucketMs;
    const last = this.live[this.live.length - 1];
    if (last && start < last.unixMs) return; // the clock went back
    if (last && last.unixMs === start) {
      this.merge(last, sample);
      return;
    }
    if (last) {
      const most = joined ? Math.max(last.spanMs, slowestMs) : last.spanMs;
      const between = start - last.unixMs;
      last.spanMs = Math.max(1, between <= most ? between : last.spanMs);
    }
    this.live.push({ ...sample, unixMs: start, spanMs: this.bucketMs });
    this.inBucket = 1;
    if (!last) this.join();
  }

  private merge(into: Sample, sample: HistorySample): void {
    const n = this.inBucket++;
    for (const key of averaged) {
      const [old, now] = [into[key], sample[key]];
      into[key] = old === null ? now : now === null ? old : (old * n + now) / (n + 1);
    }
    for (const key of largest) {
      const [old, now] = [into[key], sample[key]];
      into[key] = old === null ? now : now === null ? old : Math.max(old, now);
    }
    into.failed = sum([into.failed, sample.failed]);
    into.target = sample.target;
    const [kept, now] = [into.objective, sample.objective];
    into.objective = now && {
      ...now,
      requests: sum([kept?.requests ?? null, now.requests]),
      within: sum([kept?.within ?? null, now.within]),
    };
  }

  /** Forgets what ended before. */
  trim(since: number): void {
    const over = (sample: Sample) => sample.unixMs + sample.spanMs < since;
    for (const list of [this.kept, this.live]) {
      const first = list.findIndex((sample) => !over(sample));
      if (first) list.splice(0, first < 0 ? list.length : first);
    }
  }
}

/** Whether there are no samples between two of them that should have some. */
export function isGap(before: Sample, after: Sample): boolean {
  const silence = after.unixMs - (before.unixMs + before.spanMs);
  return silence > Math.max(3000, 1.5 * before.spanMs);
}

/** Times without samples inside the span, as [from, to]. */
export function gapsOf(
  samples: readonly Sample[],
  since: number,
  until: number,
): [number, number][] {
  const gaps: [number, number][] = [];
  const first = samples[0];
  if (!first) return [[since, until]];
  if (first.unixMs - since > Math.max(3000, 2.5 * first.spanMs)) gaps.push([since, first.unixMs]);
  for (let i = 1; i < samples.length; ++i) {
    const [before, after] = [samples[i - 1]!, samples[i]!];
    if (isGap(before, after)) gaps.push([before.unixMs + before.spanMs, after.unixMs]);
  }
  const last = samples[samples.length - 1]!;
  const end = last.unixMs + last.spanMs;
  if (until - end > Math.max(5000, 1.5 * last.spanMs)) gaps.push([end, until]);
  return gaps;
}

/** Columns to draw: the times, and a column for each of `values`; null breaks a line. */
export function columns(
  samples: readonly Sample[],
  values: ((sample: Sample) => number | null)[],
): [number[], ...(number | null)[][]] {
  const times: number[] = [];
  const rest = values.map((): (number | null)[] => []);
  samples.forEach((sample, i) => {
    times.push(sample.unixMs);
    values.forEach((value, column) => rest[column]!.push(value(sample)));
    const next = samples[i + 1];
    if (!next || isGap(sample, next)) {
      // A step is drawn to its end, and not beyond.
      const end = sample.unixMs + sample.spanMs;
      times.push(end);
      values.forEach((value, column) => rest[column]!.push(value(sample)));
      if (next) {
        times.push(end + 1);
        rest.forEach((column) => column.push(null));
      }
    }
  });
  return [times, ...rest];
}

/** At most `most` samples, the last and others evenly before it, for a table. */
export function thinned(samples: readonly Sample[], most: number): Sample[] {
  if (samples.length <= most) return [...samples];
  const step = samples.length / most;
  const last = samples.length - 1;
  return Array.from({ length: most }, (_, i) => samples[last - Math.floor((most - 1 - i) * step)]!);
}
