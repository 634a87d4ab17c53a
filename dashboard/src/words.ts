/** Numbers, times and sizes as the page says them. Pure. */

import type { Autoscaler, Hold, Mood, Objective } from './api.js';

export const unknown = '–';

/** Three significant digits, no exponent: 0.0345, 14.2, 310, 12,345. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return unknown;
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-GB');
  if (size < 1) return size < 1e-6 ? '0' : String(Number(value.toPrecision(3)));
  return String(Number(value.toFixed(size >= 10 ? 1 : 2)));
}

/** For an axis, where there is room for few: 700k, 15M. */
export function compact(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  for (let least = 10_000; Math.abs(value) >= least && unit < units.length - 1; least = 1000) {
    value /= 1000;
    ++unit;
  }
  return number(value) + units[unit];
}

/** A share, cut rather than rounded: what is not 99 % does not read so. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return unknown;
  return `${Math.floor(share * 10_000 + 1e-6) / 100} %`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return unknown;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1024;
    ++unit;
  }
  return `${unit ? number(value) : Math.round(value)} ${units[unit]}`;
}

/** Milliseconds of latency: 0.4 ms, 31 ms, 1.2 s. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return unknown;
  return ms >= 1000 ? `${number(ms / 1000)} s` : `${number(ms)} ms`;
}

/** An age or a wait, in its two largest units: 41 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return unknown;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  const [unit, size] = units[first]!;
  const next = units[first + 1];
  const rest = next ? Math.floor((seconds % size) / next[1]) : 0;
  return `${Math.floor(seconds / size)} ${unit}` + (next && rest ? ` ${rest} ${next[0]}` : '');
}

export const plural = (count: number, one: string, many = one + 's') =>
  `${number(count)} ${count === 1 ? one : many}`;

const two = (value: number) => String(value).padStart(2, '0');

/** 14:05:09, local. */
export function clock(unixMs: number, seconds = true): string {
  const at = new Date(unixMs);
  return (
    `${two(at.getHours())}:${two(at.getMinutes())}` + (seconds ? `:${two(at.getSeconds())}` : '')
  );
}

export const day = (unixMs: number) =>
  new Date(unixMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });

/** The clock alone where it is today's, else with its day. */
export function moment(unixMs: number, nowUnixMs: number, seconds = true): string {
  const today = new Date(unixMs).toDateString() === new Date(nowUnixMs).toDateString();
  return (today ? '' : day(unixMs) + ', ') + clock(unixMs, seconds);
}

/** The local zone: "UTC+1, Europe/Berlin". */
export function zone(unixMs: number): string {
  const minutes = -new Date(unixMs).getTimezoneOffset();
  const size = Math.abs(minutes);
  const offset = minutes
    ? `${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${size % 60 ? ':' + two(size % 60) : ''}`
    : '';
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `UTC${offset}` + (name && name !== 'UTC' ? `, ${name}` : '');
}

/**
 * Nothing that turns text around or cannot be seen: a name or a message could read as another.
 * Line feeds and tabs stay.
 */
export const shown = (text: string): string =>
  text.replace(
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    '\ufffd',
  );

/** A program's output without what a terminal would obey. */
export const plain = (text: string): string =>
  shown(
    text
      .replace(/\r\n?/g, '\n')
      .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g, ''),
  );

/** The load that the service is scaled by; null: unknown. */
export function loadOf(service: Autoscaler): number | null {
  return (service.target?.of === 'rate' ? service.load?.rate : service.load?.concurrency) ?? null;
}

/** What the ready replicas are meant to take; null: not scaled by load. */
export function capacityOf(service: Autoscaler): number | null {
  return service.target ? service.target.value * service.replicas.ready : null;
}

/** How an objective is kept, in words. */
export const kept = ({ latencyMs, percentile, recent, recentMs }: Objective): string =>
  `${percent(recent.share)} of the requests within ${latency(latencyMs)} in ${duration(recentMs)}, ${percentile} % wanted`;

export const needsAttention = (mood: Mood) => mood === 'bad' || mood === 'warning';

/** An operator's hold in words, without its times. */
export function held(hold: Hold): string {
  return `${hold.why === 'paused' ? 'paused' : 'pinned'} at ${plural(hold.replicas, 'replica')}`;
}

/** Milliseconds between two nice marks of a time axis with room for about `most` of them. */
export function niceStep(spanMs: number, most: number): number {
  const steps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800,
  ];
  const least = spanMs / 1000 / Math.max(1, most);
  return 1000 * (steps.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400);
}
