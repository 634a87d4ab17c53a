import assert from 'node:assert/strict';
import test from 'node:test';
import type { Autoscaler, HappenedEvent } from '../../src/api.js';
import { heldOf } from '../../src/service.js';

const base: Autoscaler = {
  name: 'shop',
  state: { name: 'steady', mood: 'good', why: '1 replica ready' },
  listening: null,
  minReplicas: 0,
  maxReplicas: 8,
  target: null,
  replicas: { wanted: 3, ready: 3, starting: 0, draining: 0, backingOff: 0 },
  load: null,
  latency: null,
  objective: null,
  requests: null,
  hold: { replicas: 3, untilUnixMs: null, why: 'scale' },
  decision: null,
  instances: [],
};
const now = Date.parse('2026-11-30T12:00:00Z');
const word = (secondsAgo: number, text: string, kind = 'operator'): HappenedEvent => ({
  id: -secondsAgo,
  unixMs: now - secondsAgo * 1000,
  autoscaler: 'shop',
  kind,
  text,
  decision: null,
});

test('since when it is held is said only where that is certain', () => {
  const pin = word(60, 'pinned at 3 until resumed');
  const cases: [string, HappenedEvent[], boolean, boolean][] = [
    ['the newest word is this hold', [word(5, 'x', 'ready'), pin], true, true],
    ['it is older than what is in view', [word(5, 'x', 'ready')], true, false],
    ['the newest word is another', [word(5, 'pinned at 4 for 5 min'), pin], true, false],
    ['another that begins alike', [word(5, 'pinned at 30 for 5 min')], true, false],
    ['it was resumed', [word(5, 'resumed'), pin], true, false],
    ['looking back there may be a newer one', [pin], false, false],
  ];
  for (const [why, events, live, expected] of cases) {
    const [held] = heldOf(base, events, now, live);
    assert.equal(/ since \d/.test(held!.text), expected, why);
  }
});

test('a rule that holds is said once', () => {
  const decision = {
    id: 1,
    autoscaler: 'shop',
    unixMs: now,
    before: 3,
    after: 9,
    reason: '',
    outcome: null,
    conditions: [],
    steps: [
      {
        stage: 'stabilise',
        code: 'ScaleDownStabilized',
        before: 3,
        after: 9,
        text: 'held at 9 by the 300 s window',
        holds: true,
      },
    ],
  };
  const [held] = heldOf({ ...base, hold: null, decision }, [], now, true);
  assert.equal(held!.text, 'at 9 by the 300 s window', 'after the word "held: "');
});
