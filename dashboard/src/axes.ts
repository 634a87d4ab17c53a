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

/** The times that get a mark, at round local times. */
export function splits(min: number, max: number, most: number): number[] {
  const step = niceStep(max - min, most);
  const zone = -new Date(max).getTimezoneOffset() * 60_000;
  const times: number[] = [];
  for (let at = Math.ceil((min + zone) / step) * step - zone; at <= max; at += step) times.push(at);
  return times;
}

const paint = new Map<string, string>();
const brush = el('span', { hidden: true });

/** A colour of app.css as the canvas wants it; read once a theme. */
export function colour(name: string): string {
  let value = paint.get(name);
  if (value === undefined) {
    brush.style.color = `var(--${name})`;
    if (!brush.isConnected) document.body.append(brush);
    value = getComputedStyle(brush).color;
    paint.set(name, value);
  }
  return value;
}

/** Colours are read anew. */
export const repaint = () => paint.clear();
