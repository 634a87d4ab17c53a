/** The scaling events as buttons under the time axis. Arrow keys go from one to the next. */

import type { HappenedEvent, Span } from './api.js';
import { el, Keyed, setAttribute, setText } from './dom.js';
import { whyId } from './reasons.js';
import { moment, niceStep, plural } from './words.js';

interface Cluster {
  key: string;
  x: number;
  events: HappenedEvent[]; // oldest first
}

/** Where times are, in pixels; `span` is in view. */
export interface Axis {
  span: Span;
  width: number;
  position(unixMs: number): number;
}

interface Row {
  root: HTMLElement;
  button: HTMLButtonElement;
  cluster: Cluster;
}

const nearest = 24; // pixels between two buttons: as large as a finger or a shaky hand needs

/**
 * Events of one stretch of time share a button. The stretches are of absolute time: what is grouped
 * stays so while time goes on under the pointer.
 */
export function clusters(events: readonly HappenedEvent[], axis: Axis): Cluster[] {
  const { since, until } = axis.span;
  const stretchMs = niceStep(until - since, axis.width / nearest);
  const found = new Map<string, Cluster>(); // where the clock went back they are not in order
  for (const event of [...events].reverse()) {
    if (event.unixMs < since || event.unixMs > until) continue;
    const start = Math.floor(event.unixMs / stretchMs) * stretchMs;
    const key = String(start);
    const same = found.get(key);
    if (same) {
      same.events.push(event);
      continue;
    }
    // Half a button inside its stretch: two never overlap.
    const least = axis.position(start) + nearest / 2;
    const most = axis.position(start + stretchMs) - nearest / 2;
    const x = Math.max(least, Math.min(most, axis.position(event.unixMs)));
    found.set(key, { key, x, events: [event] });
  }
  return [...found.values()];
}

/** Up, down, or both. */
function signOf(events: readonly HappenedEvent[]): string {
  // "2 → 3 replicas: …"
  const ups = events.filter((event) => {
    const [before, after] = (/^(\d+) → (\d+)/.exec(event.text) ?? []).slice(1).map(Number);
    return before !== undefined && after !== undefined && after > before;
  }).length;
  return ups === events.length ? '▲' : ups === 0 ? '▼' : '◆';
}

/** ▲ for one, 5▲ for more. */
export function glyph(events: readonly HappenedEvent[]): string {
  const count = events.length > 99 ? '99+' : events.length > 1 ? String(events.length) : '';
  return count + signOf(events);
}

export class Marks {
  readonly root = el('ol', { class: 'marks', 'aria-label': 'Scaling events in this time' });
  private readonly list: Keyed<Cluster, Row>;
  private chosen: number | null = null;

  constructor(open: (decision: number) => void) {
    this.list = new Keyed(
      this.root,
      (cluster) => cluster.key,
      (cluster) => {
        const button = el('button', { type: 'button', 'aria-controls': whyId });
        const row: Row = { root: el('li', {}, button), button, cluster };
        // Again on a mark of several: the next of them.
        button.addEventListener('click', () => {
          const ids = row.cluster.events.map((event) => event.decision!);
          open(ids[(ids.indexOf(this.chosen ?? -1) + 1) % ids.length]!);
        });
        return row;
      },
      (row, cluster) => this.update(row, cluster),
    );
    this.root.addEventListener('keydown', (event) => {
      const buttons = [...this.root.querySelectorAll('button')];
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[
        event.key
      ];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      buttons[to]?.focus();
      this.rove();
    });
    this.root.addEventListener('focusin', () => this.rove());
  }

  set(events: readonly HappenedEvent[], axis: Axis, chosen: number | null, now: number): void {
    this.chosen = chosen;
    this.list.set(clusters(events, axis));
    for (const row of this.list.rows.values()) {
      const { events } = row.cluster;
      const last = events[events.length - 1]!;
      setAttribute(
        row.button,
        'aria-label',
        events.length === 1
          ? `${moment(last.unixMs, now)}: ${last.text}`
          : `${plural(events.length, 'scaling event')} from ${moment(events[0]!.unixMs, now)} to ${moment(last.unixMs, now)}`,
      );
    }
    this.rove();
  }

  private update(row: Row, cluster: Cluster): void {
    row.cluster = cluster;
    row.root.style.left = `${Math.round(cluster.x)}px`;
    setText(row.button, glyph(cluster.events));
    setAttribute(row.button, 'data-sign', signOf(cluster.events));
    const current = cluster.events.some(
      (event) => event.decision === this.chosen && this.chosen !== null,
    );
    setAttribute(row.button, 'aria-pressed', String(current));
    setAttribute(row.button, 'title', cluster.events[cluster.events.length - 1]!.text);
  }

  /** One of them is reached by Tab. */
  private rove(): void {
    const buttons = [...this.root.querySelectorAll('button')];
    const focused = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const pressed = buttons.findIndex((button) => button.getAttribute('aria-pressed') === 'true');
    const at = focused >= 0 ? focused : pressed >= 0 ? pressed : buttons.length - 1;
    buttons.forEach((button, i) => (button.tabIndex = i === at ? 0 : -1));
  }
}
