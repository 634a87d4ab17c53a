import assert from 'node:assert/strict';
import test from 'node:test';
import type { Autoscaler, HistorySample } from '../../src/api.js';
import {
  columns,
  gapsOf,
  missed,
  roomOf,
  sampleOf,
  Series,
  shareOf,
  thinned,
} from '../../src/series.js';

const at = (seconds: number, change: Partial<HistorySample> = {}): HistorySample => ({
  unixMs: seconds * 1000,
  wanted: 1,
  ready: 1,
  concurrency: 4,
  rate: 40,
  waiting: 0,
  p50Ms: 1,
  p95Ms: 2,
  p99Ms: 3,
  failed: 0,
  cpu: 0.1,
  memory: 100,
  target: { value: 7, of: 'concurrency' },
  objective: null,
  ...change,
});
const times = (series: Series) => series.samples.map((sample) => sample.unixMs / 1000);

test('live samples go on where history ends', () => {
  const series = new Series(1000);
  series.add(at(30));
  series.add(at(31));
  series.load({ stepMs: 15_000, samples: [at(0), at(15), at(30), at(45)] }, true);
  assert.deepEqual(times(series), [0, 15, 30, 31], 'what came live is the truer for its time');
  series.add(at(32));
  assert.deepEqual(times(series), [0, 15, 30, 31, 32]);
});

test('a step of history ends where a live sample begins', () => {
  const series = new Series(1000);
  series.load({ stepMs: 15_000, samples: [at(0), at(15)] }, true);
  series.add(at(20));
  assert.deepEqual(
    series.samples.map((sample) => sample.spanMs),
    [15_000, 5000, 1000],
  );
});

test('fewer samples over a slow line are no gap, a loss is one', () => {
  const cases: [string, boolean, number, number][] = [
    ['a status every 6 s', true, 6, 0],
    ['a connection that was lost for 6 s', false, 6, 1],
    ['a page that slept', true, 60, 1],
  ];
  for (const [why, joined, seconds, expected] of cases) {
    const series = new Series(1000);
    series.add(at(0));
    series.add(at(seconds), joined);
    assert.equal(gapsOf(series.samples, 0, (seconds + 1) * 1000).length, expected, why);
  }
});

test('steps that the server has not written yet are no gap, a loss is one', () => {
  const cases: [string, boolean, number, number][] = [
    ['the step under way and the one before are not written', true, 14, 0],
    ['the same after the connection was lost may be Headroom that did not run', false, 14, 1],
    ['three steps are too many', true, 23, 1],
  ];
  for (const [why, joined, live, expected] of cases) {
    for (const liveFirst of [false, true]) {
      const series = new Series(1000);
      if (liveFirst) series.add(at(live));
      series.load({ stepMs: 5000, samples: [at(-5), at(0)] }, joined);
      if (!liveFirst) series.add(at(live));
      assert.equal(gapsOf(series.samples, -5000, (live + 1) * 1000).length, expected, why);
    }
  }
});

test('live samples of one bucket are one', () => {
  const series = new Series(10_000);
  series.add(at(10, { concurrency: 2, wanted: 1, p99Ms: null, failed: 1, cpu: null }));
  series.add(at(12, { concurrency: 4, wanted: 3, p99Ms: 9, failed: 2, cpu: 0.5 }));
  series.add(at(15, { concurrency: null, wanted: 2, p99Ms: 5, failed: null, cpu: null }));
  assert.equal(series.samples.length, 1);
  const [sample] = series.samples;
  assert.equal(sample!.concurrency, 3, 'an average; unknown changes nothing');
  assert.equal(sample!.wanted, 3, 'the most');
  assert.equal(sample!.p99Ms, 9, 'the most');
  assert.equal(sample!.failed, 3, 'the sum');
  assert.equal(sample!.cpu, 0.5);
});

test('a clock that goes back changes nothing', () => {
  const series = new Series(1000);
  series.add(at(10));
  series.add(at(8));
  assert.deepEqual(times(series), [10]);
});

test('what is older than the range is forgotten', () => {
  const series = new Series(1000);
  series.load({ stepMs: 5000, samples: [at(0), at(5), at(10)] }, true);
  series.add(at(15));
  series.trim(7000);
  assert.deepEqual(times(series), [5, 10, 15], 'a step that reaches into the range stays');
  series.trim(99_000);
  assert.deepEqual(times(series), []);
});

test('a silence is a gap, a late sample is not', () => {
  const series = new Series(1000);
  for (const seconds of [0, 1, 3, 4, 20, 21]) series.add(at(seconds));
  assert.deepEqual(gapsOf(series.samples, 0, 22_000), [[5000, 20_000]]);
  assert.deepEqual(
    gapsOf(series.samples, 0, 60_000),
    [
      [5000, 20_000],
      [22_000, 60_000],
    ],
    'nothing for long is one, too',
  );
  assert.deepEqual(
    gapsOf(series.samples, -60_000, 22_000)[0],
    [-60_000, 0],
    'before the first as well',
  );
  assert.deepEqual(gapsOf([], 1, 2), [[1, 2]]);
});

test('a line ends at a gap', () => {
  const series = new Series(1000);
  for (const seconds of [0, 1, 20]) series.add(at(seconds, { wanted: seconds }));
  const [x, wanted] = columns(series.samples, [(sample) => sample.wanted]);
  assert.deepEqual(x, [0, 1000, 2000, 2001, 20_000, 21_000]);
  assert.deepEqual(wanted, [0, 1, 1, null, 20, 20]);
});

test('a table has the last and is evenly thinned', () => {
  const series = new Series(1000);
  for (let seconds = 0; seconds < 100; ++seconds) series.add(at(seconds));
  assert.deepEqual(
    thinned(series.samples, 4).map((sample) => sample.unixMs),
    [24_000, 49_000, 74_000, 99_000],
  );
  assert.equal(thinned(series.samples, 500).length, 100);
});

test('capacity is that of its time', () => {
  const sample = at(0, { ready: 3, target: { value: 10, of: 'concurrency' } });
  assert.equal(roomOf(sample, 'concurrency'), 30);
  assert.equal(roomOf(sample, 'rate'), null, 'of another kind it is none of this chart');
  assert.equal(roomOf(at(0, { target: null }), 'concurrency'), null, 'it was not known then');
  assert.equal(roomOf(at(0, { ready: null }), 'concurrency'), null);
});

const held = (requests: number | null, within: number | null, percentile = 99) =>
  at(0, { objective: { latencyMs: 100, percentile, requests, within } });

test('an objective is missed by counting, not by a quantile', () => {
  const cases: [string, HistorySample, number | null, boolean][] = [
    ['there is none', at(0), null, false],
    ['all', held(10, 10), 1, false],
    ['just as many as are wanted', held(100, 99), 0.99, false],
    ['one fewer', held(100, 98), 0.98, true],
    ['half of them is enough', held(2, 1, 50), 0.5, false],
    ['no request misses nothing', held(0, 0), null, false],
    ['not known', held(null, null), null, false],
  ];
  for (const [why, sample, share, late] of cases) {
    assert.equal(shareOf(sample), share, why);
    assert.equal(missed(sample), late, why);
  }
});

test('live samples have what came since the one before, and add up in a bucket', () => {
  const look = (requests: number, within: number, latencyMs = 100): Autoscaler => ({
    name: 'shop',
    state: { name: 'steady', mood: 'good', why: '1 replica ready' },
    listening: null,
    minReplicas: 0,
    maxReplicas: 8,
    target: { value: 7, of: 'concurrency' },
    replicas: { wanted: 1, ready: 1, starting: 0, draining: 0, backingOff: 0 },
    load: null,
    latency: null,
    objective: {
      latencyMs,
      percentile: 99,
      atPercentileMs: null,
      recent: { requests: 0, within: 0, share: null },
      recentMs: 300_000,
      missed: false,
      total: { requests, within, share: null },
    },
    requests: null,
    hold: null,
    decision: null,
    instances: [],
  });
  const of = (before: Autoscaler | undefined, now: Autoscaler) => {
    const { requests, within } = sampleOf(now, 0, before).objective!;
    return [requests, within];
  };
  assert.deepEqual(of(undefined, look(50, 40)), [null, null], 'since when is not known');
  assert.deepEqual(of(look(50, 40), look(60, 48)), [10, 8]);
  assert.deepEqual(of(look(50, 40), look(5, 4)), [5, 4], 'another process counts anew');
  assert.equal(sampleOf({ ...look(1, 1), objective: null }, 0).objective, null);

  const series = new Series(10_000);
  series.add({ ...sampleOf(look(60, 48), 10_000, look(50, 40)) });
  series.add({ ...sampleOf(look(90, 70, 200), 12_000, look(60, 48)) });
  const [sample] = series.samples;
  assert.deepEqual(sample!.objective, {
    latencyMs: 200,
    percentile: 99,
    requests: 40,
    within: 30,
  });
});
