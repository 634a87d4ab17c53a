import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { splits } from '../../src/axes.js';
import { chartsOf } from '../../src/charts.js';
import { sparkPaths } from '../../src/overview.js';
import type { Sample } from '../../src/series.js';
import { compact } from '../../src/words.js';

test('an axis has few letters, and rounds nothing away', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [0.0025, '0.0025'],
    [0.005, '0.005'],
    [0.125, '0.125'],
    [0.30000000000000004, '0.3'],
    [2.5, '2.5'],
    [5000, '5,000'],
    [9999, '9,999'],
    [10_000, '10k'],
    [700_000, '700k'],
    [1_000_000, '1M'],
    [15_000_000, '15M'],
    [2_500_000_000, '2.5G'],
  ];
  for (const [value, expected] of cases) assert.equal(compact(value), expected);
  const [load, , latency, , memory] = chartsOf(null, false);
  assert.equal(load!.short(15_000_000), '15M');
  assert.equal(latency!.short(20_000_000), '20k s');
  assert.equal(latency!.short(50), '50 ms');
  assert.equal(memory!.short(2 ** 28), '256 MiB');
});

test('times are round by the clock of their own day', () => {
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin'; // summer time ended at 01:00 UTC on the 25th
  const [since, until] = [Date.parse('2026-10-23T12:00Z'), Date.parse('2026-10-27T12:00Z')];
  const words = (most: number) =>
    splits(since, until, most).map((at) => new Date(at).toTimeString().slice(0, 5));
  assert.deepEqual(words(4), ['00:00', '00:00', '00:00', '00:00']);
  assert.deepEqual(new Set(words(8)), new Set(['00:00', '12:00']));
  // And where it begins, an hour that there is not is no mark twice.
  const spring = Date.parse('2026-03-29T00:00Z');
  const hours = splits(spring, spring + 4 * 3_600_000, 4);
  assert.equal(new Set(hours).size, hours.length);
  process.env['TZ'] = 'Australia/Eucla';
  assert.ok(words(8).every((time) => /^(00|12):00$/.test(time)));
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('a sparkline lifts its pen where nothing is known', () => {
  const sample = (seconds: number) =>
    ({
      unixMs: seconds * 1000,
      spanMs: 15_000,
      concurrency: 4,
      rate: 4,
      ready: 1,
      target: null,
    }) as Sample;
  const strokes = (times: number[]) =>
    sparkPaths(times.map(sample), null, 900_000).load.match(/M/g)!.length;
  assert.equal(strokes([100, 115, 130]), 1);
  assert.equal(strokes([100, 115, 130, 400, 415]), 2);
});

test('what is drawn stands out from its ground', () => {
  const css = readFileSync(path.join(process.env['DASHBOARD']!, 'src/app.css'), 'utf8');
  const light = (hex: string) => {
    const long = hex.length === 4 ? hex.replace(/[^#]/g, '$&$&') : hex;
    const [r, g, b] = [1, 3, 5].map((at) => {
      const value = parseInt(long.slice(at, at + 2), 16) / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const colours = (name: string) => {
    const found = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css)!;
    return [light(found[1]!), light(found[2]!)];
  };
  const surface = colours('surface');
  const lines = chartsOf(null, false).flatMap((chart) => chart.lines.map((line) => line.colour));
  for (const name of [...lines, 'capacity', 'objective', 'failed', 'late', 'edge', 'mark']) {
    colours(name).forEach((colour, theme) => {
      const [low, high] = [colour, surface[theme]!].sort((a, b) => a - b);
      const contrast = (high! + 0.05) / (low! + 0.05);
      assert.ok(contrast >= 3, `${name}, ${theme ? 'dark' : 'light'}: ${contrast.toFixed(2)}`);
    });
  }
});
