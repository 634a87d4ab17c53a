/** Which charts a service has, and what each draws. Pure. */

import type { Autoscaler } from './api.js';
import { missed, roomOf, shareOf, type Sample } from './series.js';
import { bytes, compact, latency, number } from './words.js';

export type Value = (sample: Sample) => number | null;

export interface Line {
  label: string;
  colour: string; // --<colour> in app.css
  value: Value;
  kind?: 'line' | 'step' | 'area';
  dash?: number[];
}

export interface Chart {
  title: string;
  unit: string;
  height: number;
  lines: Line[];
  format: (value: number | null | undefined) => string;
  short: (value: number) => string; // beside the axis
  whole?: boolean; // counts things
  logarithmic?: boolean;
  note?: Value; // a number that is only said, and marked where it is not zero
  share?: { label: string; value: Value; missed(sample: Sample): boolean }; // said; marked where missed
}

export function chartsOf(service: Autoscaler | null, wide: boolean): Chart[] {
  const target = service?.target ?? null;
  const rate = target?.of === 'rate';
  const load: Line[] = [
    {
      label: rate ? 'requests/s' : 'in flight',
      colour: 'load',
      value: rate ? (sample) => sample.rate : (sample) => sample.concurrency,
    },
  ];
  if (target) {
    load.unshift({
      label: 'capacity',
      colour: 'capacity',
      kind: 'area',
      value: (sample) => roomOf(sample, target.of),
    });
  }
  if (!rate)
    load.push({
      label: 'waiting',
      colour: 'waiting',
      value: (sample) => sample.waiting,
      kind: 'step',
    });
  const objective = service?.objective ?? null;
  const late: Line[] = objective
    ? [
        {
          label: `objective at p${objective.percentile}`,
          colour: 'objective',
          kind: 'step',
          dash: [3, 3],
          value: (sample) => sample.objective?.latencyMs ?? null,
        },
      ]
    : [];
  return [
    {
      title: rate ? 'Load: requests per second' : 'Load: requests in flight',
      unit: rate ? 'requests per second' : 'requests',
      height: 150,
      lines: load,
      format: number,
      short: compact,
    },
    {
      title: 'Replicas',
      unit: 'replicas',
      height: 104,
      whole: true,
      lines: [
        { label: 'ready', colour: 'ready', kind: 'area', value: (sample) => sample.ready },
        {
          label: 'wanted',
          colour: 'wanted',
          kind: 'step',
          dash: [5, 3],
          value: (sample) => sample.wanted,
        },
      ],
      format: number,
      short: compact,
    },
    {
      title: 'Latency',
      unit: 'milliseconds',
      height: 120,
      logarithmic: wide,
      lines: [
        { label: 'p50', colour: 'p50', value: (sample) => sample.p50Ms },
        { label: 'p95', colour: 'p95', value: (sample) => sample.p95Ms, dash: [6, 3] },
        { label: 'p99', colour: 'p99', value: (sample) => sample.p99Ms },
        ...late,
      ],
      format: latency,
      short: (ms) => (ms >= 1000 ? `${compact(ms / 1000)} s` : latency(ms)),
      note: (sample) => sample.failed,
      ...(objective && { share: { label: 'within', value: shareOf, missed } }),
    },
    {
      title: 'CPU of all replicas',
      unit: 'cores',
      height: 84,
      lines: [{ label: 'cores', colour: 'cpu', value: (sample) => sample.cpu }],
      format: number,
      short: compact,
    },
    {
      title: 'Memory of all replicas',
      unit: 'bytes',
      height: 84,
      lines: [{ label: 'memory', colour: 'memory', value: (sample) => sample.memory }],
      format: bytes,
      short: bytes,
    },
  ];
}

/** Latencies over two decades or more are told apart on a logarithmic scale only. */
export function wideRange(samples: readonly Sample[], was: boolean): boolean {
  let [least, most] = [Infinity, 0];
  for (const { p50Ms, p99Ms, objective } of samples) {
    if (p50Ms !== null && p50Ms > 0) least = Math.min(least, p50Ms);
    if (p99Ms !== null) most = Math.max(most, p99Ms);
    if (objective && most > 0) most = Math.max(most, objective.latencyMs);
  }
  return most / least > (was ? 30 : 60);
}
