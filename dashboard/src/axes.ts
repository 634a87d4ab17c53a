/** Where the axes have their marks, and the colours of all that is drawn. */

import { el } from './dom.js';
import { niceStep } from './words.js';

/** Pixels beside every plot: they stand above each other. */
export const axisWidth = 54;
export const rightPadding = 12;

/** Round in bytes. */
export const byteSteps = Array.from({ length: 22 }, (_, i) => 2 ** (i + 16));

/** The marks of a logarithmic scale: 1, 10, 100; with 2 and 5 where these are few. */
export function decades(min: number, max: number): number[] {
  const marks: number[] = [];
  const between = max / min < 150 ? [1, 2, 5] : [1];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); ++power) {
    for (const factor of between) {
      const value = factor * 10 ** power;
      if (value >= min && value <= max) marks.push(value);
    }
  }
  return marks;
}

const offsetAt = (unixMs: number) => -new Date(unixMs).getTimezoneOffset() * 60_000;

/** The times that get a mark, at round local times, by the clock of each. */
export function splits(min: number, max: number, most: number): number[] {
  const step = niceStep(max - min, most);
  const times: number[] = [];
  for (let local = Math.ceil((min + offsetAt(min)) / step) * step; ; local += step) {
    const at = local - offsetAt(local - offsetAt(local));
    if (at > max) return times;
    if (at >= min && at > (times[times.length - 1] ?? -Infinity)) times.push(at);
  }
}

const paint = new Map<string, string>();
let brush: HTMLElement | null = null;

/** A colour of app.css as the canvas wants it; read once a theme. */
export function colour(name: string): string {
  let value = paint.get(name);
  if (value === undefined) {
    if (!brush) document.body.append((brush = el('span', { class: 'brush', hidden: true })));
    brush.style.color = `var(--${name})`;
    value = getComputedStyle(brush).color;
    paint.set(name, value);
  }
  return value;
}

/** Colours are read anew. */
export const repaint = () => paint.clear();
