import assert from 'node:assert/strict';
import test from 'node:test';
import type { Autoscaler, InstanceState, Objective } from '../../src/api.js';
import {
  bytes,
  duration,
  holds,
  latency,
  niceStep,
  number,
  percent,
  plain,
  stateOf,
  type Mood,
} from '../../src/words.js';

test('numbers have three digits that count', () => {
  const cases: [string, number | null, string][] = [
    ['none', null, '–'],
    ['not a number', NaN, '–'],
    ['zero', 0, '0'],
    ['small', 0.03456, '0.0346'],
    ['smaller', 0.0025, '0.0025'],
    ['next to nothing', 1e-7, '0'],
    ['below ten', 7, '7'],
    ['rounds', 2.345, '2.35'],
    ['tens', 14.26, '14.3'],
    ['hundreds are whole', 310.7, '311'],
    ['thousands are grouped', 12345, '12,345'],
  ];
  for (const [why, value, expected] of cases) assert.equal(number(value), expected, why);
});

test('sizes, latencies and ages say their unit', () => {
  assert.equal(bytes(12582912), '12 MiB');
  assert.equal(bytes(1000), '0.977 KiB', 'never four digits before the point');
  assert.equal(bytes(null), '–');
  assert.equal(latency(0.41), '0.41 ms');
  assert.equal(latency(1234), '1.23 s');
  assert.equal(duration(0), '0 s');
  assert.equal(duration(61_000), '1 min 1 s');
  assert.equal(duration(7_200_000), '2 h', 'a unit of nothing is not said');
  assert.equal(duration(100 * 86_400_000 + 3_600_000), '100 d 1 h');
  assert.equal(duration(-5), '0 s', 'two clocks never agree');
});

test('output is shown without what a terminal would obey', () => {
  const cases: [string, string, string][] = [
    ['colours', '\x1b[1;32mok\x1b[0m', 'ok'],
    ['a title', '\x1b]0;owned\x07ok', 'ok'],
    ['a title without end takes no more than itself', '\x1b]0;owned', ''],
    ['screen cleared', '\x1b[2J\x1b[Hok', 'ok'],
    ['nul and bell', 'a\x00b\x07', 'a\ufffdb\ufffd'],
    ['what cannot be seen', 'ad\u200bmin\ufeff', 'ad\ufffdmin\ufffd'],
    ['text that turns around', 'a\u202egnp', 'a\ufffdgnp'],
    ['lines stay, of every system', 'a\r\nb\rc\n\td', 'a\nb\nc\n\td'],
    ['markup is text', '<b>&amp;', '<b>&amp;'],
  ];
  for (const [why, text, expected] of cases) assert.equal(plain(text), expected, why);
});

const base: Autoscaler = {
  name: 'shop',
  listening: null,
  minReplicas: 0,
  maxReplicas: 8,
  target: { value: 7, of: 'concurrency' },
  replicas: { wanted: 2, ready: 2, starting: 0, draining: 0, backingOff: 0 },
  load: { concurrency: 10, rate: 100, waiting: 0, running: 10 },
  latency: null,
  objective: null,
  requests: null,
  hold: null,
  decision: null,
  instances: [],
};

test('a step holds by its code, or where it says so', () => {
  const step = (code: string, text: string) => ({ stage: '', code, before: 1, after: 2, text });
  const cases: [boolean, string, string][] = [
    [true, 'ScaleDownStabilized', 'held at 9 by the 300 s window'],
    [true, 'TooManyReplicas', 'at most 6 → 6 replicas'],
    [false, 'Concurrency', 'concurrency 14.2 over 10 s of 7 per replica → 3 replicas'],
    [false, 'Panic', 'panic: concurrency 12 over 1 s of 7 per replica → 2 replicas'],
    [true, 'Panic', 'the peak of 4 s ago is held for 10 s → 4 replicas'],
  ];
  for (const [expected, code, text] of cases) assert.equal(holds(step(code, text)), expected, text);
});

test('a state is the gravest thing there is to say', () => {
  const replicas = (change: Partial<Autoscaler['replicas']>) => ({
    replicas: { ...base.replicas, ...change },
  });
  const load = (change: Partial<NonNullable<Autoscaler['load']>>) => ({
    load: { ...base.load!, ...change },
  });
  const life = (state: InstanceState, restarts: number, ageMs: number) => ({
    instances: [
      { id: 1, state, pid: 1, ageMs, restarts, cpu: null, memory: null, outstanding: null },
    ],
  });
  const cases: [string, Partial<Autoscaler>, number, string, Mood][] = [
    ['as wanted', {}, 0, 'steady', 'good'],
    ['at zero', replicas({ wanted: 0, ready: 0 }), 0, 'asleep', 'quiet'],
    ['the first starts', replicas({ wanted: 1, ready: 0, starting: 1 }), 0, 'waking', 'moving'],
    ['more start', replicas({ wanted: 3, starting: 1 }), 0, 'scaling up', 'moving'],
    ['some drain', replicas({ draining: 1 }), 0, 'scaling down', 'moving'],
    [
      'a crash is worse than a start',
      replicas({ wanted: 3, starting: 1, backingOff: 1 }),
      0,
      'crashing',
      'bad',
    ],
    ['it starts after a crash', life('starting', 3, 500), 0, 'crashing', 'bad'],
    ['it is ready after a crash, for now', life('ready', 3, 59_000), 0, 'crashing', 'bad'],
    ['it lasts', life('ready', 3, 60_000), 0, 'steady', 'good'],
    ['it never crashed', life('ready', 0, 500), 0, 'steady', 'good'],
    ['it drains', life('draining', 3, 500), 0, 'steady', 'good'],
    [
      'the most, and not enough',
      { ...replicas({ wanted: 8, ready: 8 }), ...load({ concurrency: 60 }) },
      0,
      'at its limit',
      'warning',
    ],
    [
      'the most, and enough',
      { ...replicas({ wanted: 8, ready: 8 }), ...load({ concurrency: 50 }) },
      0,
      'steady',
      'good',
    ],
    [
      'the most, still starting, is not yet too little',
      { ...replicas({ wanted: 8, ready: 2, starting: 6 }), ...load({ concurrency: 40 }) },
      0,
      'scaling up',
      'moving',
    ],
    ['unknown is not zero', load({ concurrency: null }), 0, 'load unknown', 'warning'],
    ['nothing of it is known', { load: null }, 0, 'load unknown', 'warning'],
    ['nobody scales by it', { ...load({ concurrency: null }), target: null }, 0, 'steady', 'good'],
    ['paused', { hold: { replicas: 2, untilUnixMs: null, why: 'paused' } }, 0, 'paused', 'held'],
    ['pinned', { hold: { replicas: 2, untilUnixMs: 5, why: 'scale' } }, 0, 'pinned', 'held'],
    ['requests fail', {}, 3, 'failing', 'warning'],
  ];
  for (const [why, change, failed, word, mood] of cases) {
    const state = stateOf({ ...base, ...change }, failed);
    assert.deepEqual([state.word, state.mood], [word, mood], why);
  }
});

test('between two crashes the same is said', () => {
  const said = (state: InstanceState, ageMs: number) =>
    stateOf({
      ...base,
      replicas: { ...base.replicas, backingOff: state === 'backingOff' ? 1 : 0 },
      instances: [
        { id: 1, state, pid: 1, ageMs, restarts: 2, cpu: null, memory: null, outstanding: null },
      ],
    });
  const first = said('backingOff', 0);
  assert.equal(first.sentence, '1 replica crashed and is started again');
  assert.deepEqual(said('starting', 100), first);
  assert.deepEqual(said('ready', 900), first);
});

test('an objective that is missed is said, and not by rounding', () => {
  const objective = (share: number | null, percentile = 99): Objective => ({
    latencyMs: 100,
    percentile,
    atPercentileMs: null,
    recent: { requests: 1000, within: 0, share },
    recentMs: 300_000,
    total: { requests: 0, within: 0, share: null },
  });
  const state = (of: Objective | null) => stateOf({ ...base, objective: of }).word;
  assert.equal(state(null), 'steady');
  assert.equal(state(objective(null)), 'steady', 'no request misses nothing');
  assert.equal(state(objective(0.99)), 'steady');
  assert.equal(state(objective(0.98999)), 'late');
  assert.equal(
    stateOf({ ...base, objective: objective(0.98999) }).sentence,
    '98.99 % of the requests within 100 ms in 5 min, 99 % wanted',
  );
  assert.equal(state(objective(0.9995, 99.9)), 'steady');
  assert.equal(percent(0.99), '99 %');
  assert.equal(percent(0.29), '29 %', 'what a float makes of it');
  assert.equal(percent(1), '100 %');
  assert.equal(percent(null), '–');
});

test('marks of the time axis are round and few', () => {
  assert.equal(niceStep(15 * 60_000, 8), 120_000);
  assert.equal(niceStep(7 * 86_400_000, 8), 86_400_000);
  assert.equal(niceStep(365 * 86_400_000, 5), 73 * 86_400_000, 'longer than any of the table');
});
