import assert from 'node:assert/strict';
import test from 'node:test';
import { Lag } from '../../src/lag.js';

const seconds = (count: number) => Array.from({ length: count }, (_, i) => i);

test('how far behind what comes is, whatever the two clocks say', () => {
  // The server's time and the page's, in seconds.
  const cases: [string, [number, number][], number][] = [
    ['one tells nothing', [[1_700_000_000, 5]], 0],
    ['a status a second', seconds(60).map((s) => [1000 + s, s]), 0],
    ['the server’s clock is behind', seconds(60).map((s) => [s, 1_700_000_000 + s]), 0],
    ['a line that takes twice as long as it may', seconds(13).map((s) => [1000 + s, 2 * s]), 12],
    [
      'it catches up',
      [...seconds(13).map((s): [number, number] => [1000 + s, 2 * s]), [1025, 25]],
      0,
    ],
    [
      'the first one was slow, too',
      [
        [1000, 9],
        [1001, 9.5],
        [1002, 10],
        [1003, 13],
      ],
      2,
    ],
    [
      'the server’s clock is set forward',
      [
        [1000, 0],
        [1001, 1],
        [4602, 2],
        [4603, 3],
      ],
      0,
    ],
    [
      'the server’s clock is set back',
      [
        [4600, 0],
        [4601, 1],
        [1002, 2],
        [1003, 3],
      ],
      0,
    ],
    ['ours is a little quick, all day', seconds(86_400).map((s) => [s, 1.0005 * s]), 0],
    [
      'a lag that stays is said for long',
      [[1000, 0], ...seconds(600).map((s): [number, number] => [1001 + s, 13 + s])],
      11.4,
    ],
  ];
  for (const [why, comes, expected] of cases) {
    const lag = new Lag();
    const behind = comes.map(([server, page]) => lag.take(server * 1000, page * 1000));
    assert.equal(Math.round(behind.at(-1)! / 100) / 10, expected, why);
  }
});
