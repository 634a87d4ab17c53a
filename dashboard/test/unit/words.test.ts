import assert from 'node:assert/strict';
import test from 'node:test';
import type { Objective } from '../../src/api.js';
import {
  bytes,
  duration,
  kept,
  latency,
  niceStep,
  number,
  percent,
  plain,
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

test('how an objective is kept is said, and not by rounding', () => {
  const objective = (share: number | null): Objective => ({
    latencyMs: 100,
    percentile: 99,
    atPercentileMs: null,
    recent: { requests: 1000, within: 0, share },
    recentMs: 300_000,
    missed: false,
    total: { requests: 0, within: 0, share: null },
  });
  assert.equal(
    kept(objective(0.98999)),
    '98.99 % of the requests within 100 ms in 5 min, 99 % wanted',
  );
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
