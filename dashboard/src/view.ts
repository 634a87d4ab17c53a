/** What is looked at, as the address says it: #/shop?range=6h&decision=1041. Pure. */

import type { Span } from './api.js';

export const presets = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10_080 } as const; // minutes
export type Preset = keyof typeof presets;

export interface View {
  name: string | null; // null: none chosen
  range: Preset | Span;
  decision: number | null; // null: the newest
}

export const isLive = (range: View['range']): range is Preset => typeof range === 'string';

/** Whether it goes on: the last so many minutes, or until a time that is still to come. */
export const goesOn = (range: View['range'], now: number) => isLive(range) || range.until > now;

/** Never beyond now, but where it is all to come. */
export function spanOf(range: View['range'], now: number): Span {
  if (isLive(range)) return { since: now - presets[range] * 60_000, until: now };
  return {
    since: range.since,
    until: range.since < now ? Math.min(range.until, now) : range.until,
  };
}

export const lengthOf = (range: View['range']) =>
  isLive(range) ? presets[range] * 60_000 : range.until - range.since;

const whole = (text: string | null) =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;

export function parse(hash: string): View {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const parameters = new URLSearchParams(query);
  let name: string | null;
  try {
    name = decodeURIComponent(path) || null;
  } catch {
    name = null; // not what we write
  }
  const [since, until] = [whole(parameters.get('since')), whole(parameters.get('until'))];
  const preset = parameters.get('range') ?? '15m';
  const range =
    since !== null && until !== null && since < until
      ? { since, until }
      : Object.hasOwn(presets, preset)
        ? (preset as Preset)
        : '15m';
  return { name, range, decision: whole(parameters.get('decision')) };
}

export function format(view: View): string {
  const parameters = new URLSearchParams();
  if (!isLive(view.range)) {
    parameters.set('since', String(Math.round(view.range.since)));
    parameters.set('until', String(Math.round(view.range.until)));
  } else if (view.range !== '15m') parameters.set('range', view.range);
  if (view.decision !== null) parameters.set('decision', String(view.decision));
  const query = parameters.toString();
  return (
    '#/' + (view.name === null ? '' : encodeURIComponent(view.name)) + (query ? '?' + query : '')
  );
}
