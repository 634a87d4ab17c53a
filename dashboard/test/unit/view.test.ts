import assert from 'node:assert/strict';
import test from 'node:test';
import { format, goesOn, parse, spanOf, type View } from '../../src/view.js';

test('a view is its address', () => {
  const cases: [View, string][] = [
    [{ name: null, range: '15m', decision: null }, '#/'],
    [{ name: 'shop', range: '15m', decision: null }, '#/shop'],
    [{ name: 'shop', range: '7d', decision: 12 }, '#/shop?range=7d&decision=12'],
    [
      { name: 'a/b?c#d%', range: { since: 5, until: 9 }, decision: null },
      '#/a%2Fb%3Fc%23d%25?since=5&until=9',
    ],
  ];
  for (const [view, address] of cases) {
    assert.equal(format(view), address);
    assert.deepEqual(parse(address), view);
  }
});

test('an address that we did not write is still one', () => {
  const plain: View = { name: 'shop', range: '15m', decision: null };
  for (const query of [
    'range=constructor',
    'range=9y',
    'since=9&until=5',
    'since=x&until=5',
    'decision=-1',
    'decision=1e9',
  ]) {
    assert.deepEqual(parse(`#/shop?${query}`), plain, query);
  }
  assert.equal(parse('#/%E0%A4%A').name, null, 'not UTF-8');
  assert.equal(parse('').name, null);
});

test('a live range ends now', () => {
  assert.deepEqual(spanOf('1h', 7_200_000), { since: 3_600_000, until: 7_200_000 });
  assert.deepEqual(spanOf({ since: 1, until: 2 }, 7_200_000), { since: 1, until: 2 });
});

test('what is shown never ends beyond now, and goes on until its end', () => {
  const cases: [View['range'], number, number, boolean][] = [
    ['15m', 100_000, 1_000_000, true],
    [{ since: 1000, until: 2000 }, 1000, 2000, false],
    [{ since: 1000, until: 2_000_000 }, 1000, 1_000_000, true],
    [{ since: 1_500_000, until: 2_000_000 }, 1_500_000, 2_000_000, true],
  ];
  for (const [range, since, until, on] of cases) {
    assert.deepEqual(spanOf(range, 1_000_000), { since, until });
    assert.equal(goesOn(range, 1_000_000), on);
  }
});
