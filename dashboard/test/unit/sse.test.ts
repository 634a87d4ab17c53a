import assert from 'node:assert/strict';
import test from 'node:test';
import { Parser, type Message } from '../../src/sse.js';

const told = (event: string, data: string, id: string | null = null): Message => ({
  event,
  data,
  id,
});

test('events, however they are cut into pieces', () => {
  const cases: [string, string, Message[]][] = [
    ['as Headroom sends them', 'event: status\ndata: {"a":1}\n\n', [told('status', '{"a":1}')]],
    ['with an id', 'id: 7\nevent: event\ndata: x\n\n', [told('event', 'x', '7')]],
    ['two', 'event: a\ndata: 1\n\nevent: b\ndata: 2\n\n', [told('a', '1'), told('b', '2')]],
    [
      'an id is of one event',
      'id: 7\ndata: 1\n\ndata: 2\n\n',
      [told('message', '1', '7'), told('message', '2')],
    ],
    [
      'lines of every system',
      'event: a\r\ndata: 1\r\n\r\nevent: b\rdata: 2\r\r\n',
      [told('a', '1'), told('b', '2')],
    ],
    ['several lines', 'data: 1\ndata: 2\n\n', [told('message', '1\n2')]],
    [
      'one space is none of the value',
      'data:  1\n\ndata:2\n\n',
      [told('message', ' 1'), told('message', '2')],
    ],
    ['without a value', 'data\n\n', [told('message', '')]],
    ['comments and what is not known', ': x\nretry: 2000\nother: y\n\n', []],
    ['no data is no event', 'event: a\nid: 1\n\n', []],
    ['what has no end is none', 'data: 1\n', []],
    ['letters', 'data: größe → 3\n\n', [told('message', 'größe → 3')]],
  ];
  for (const [why, text, expected] of cases) {
    assert.deepEqual(new Parser().feed(text), expected, why);
    const parser = new Parser();
    const found = [...text].flatMap((letter) => parser.feed(letter));
    assert.deepEqual(found, expected, `${why}, a letter at a time`);
  }
});

test('an event without an end is not kept', () => {
  const parser = new Parser();
  const piece = 'x'.repeat(1 << 20);
  assert.throws(() => {
    for (let i = 0; i < 20; ++i) parser.feed(piece);
  }, /without an end/);
  const lines = new Parser();
  assert.throws(() => {
    for (let i = 0; i < 20; ++i) lines.feed(`data: ${piece}\n`);
  }, /without an end/);
});
