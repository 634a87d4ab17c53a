import assert from 'node:assert/strict';
import test from 'node:test';
import type { HappenedEvent } from '../../src/api.js';
import { clusters, glyph, type Axis } from '../../src/marks.js';

const event = (seconds: number, text = '1 → 2 replicas: …'): HappenedEvent => ({
  id: seconds,
  unixMs: seconds * 1000,
  autoscaler: 'shop',
  kind: 'rescale',
  text,
  decision: seconds,
});
const newestFirst = (seconds: number[]) => seconds.map((at) => event(at)).reverse();

/** 15 minutes on 720 pixels: a button takes 30 s. */
function axis(until: number): Axis {
  const span = { since: (until - 900) * 1000, until: until * 1000 };
  return {
    span,
    width: 720,
    position: (unixMs) => ((unixMs - span.since) / 900_000) * 720,
  };
}

test('marks stay together, and apart, while time goes on', () => {
  const events = newestFirst([10_000, 10_012, 10_021, 10_040, 10_055, 10_090, 10_119, 10_121]);
  const at = (now: number) =>
    clusters(events, axis(now)).map(({ key, events }) => [key, events.map(({ id }) => id)]);
  const first = at(10_200);
  assert.ok(first.length > 1 && first.length < events.length, JSON.stringify(first));
  for (let now = 10_200; now < 10_800; ++now) assert.deepEqual(at(now), first, `at ${now}`);
});

test('no two marks overlap, and each is near what it marks', () => {
  const times = Array.from({ length: 150 }, (_, i) => 10_000 + ((i * i * 7) % 880));
  const events = newestFirst([...new Set(times)].sort((a, b) => a - b));
  const here = axis(10_890);
  const found = clusters(events, here);
  found.forEach(({ x, events }, i) => {
    assert.ok(i === 0 || x - found[i - 1]!.x >= 24 - 1e-6, `${found[i - 1]?.x} and ${x}`);
    assert.ok(Math.abs(x - here.position(events[0]!.unixMs)) <= 12 + 1e-6);
  });
});

test('what is out of view has no mark', () => {
  const found = clusters(newestFirst([9000, 10_000, 11_000]), axis(10_500));
  assert.deepEqual(
    found.map(({ events }) => events.map(({ id }) => id)),
    [[10_000]],
  );
});

test('a mark says how many, and which way', () => {
  const [up, down] = [event(1), event(2, '3 → 1 replicas: …')];
  const cases: [HappenedEvent[], string][] = [
    [[up], '▲'],
    [[down], '▼'],
    [[up, up, up], '3▲'],
    [[down, down], '2▼'],
    [[up, down], '2◆'],
    [Array.from({ length: 120 }, () => down), '99+▼'],
  ];
  for (const [events, expected] of cases) assert.equal(glyph(events), expected);
});
