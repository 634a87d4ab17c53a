/** The scaling events as buttons under the time axis. Arrow keys go from one to the next. */

import type { HappenedEvent } from './api.js';
import { el, Keyed, setAttribute, setText } from './dom.js';
import { moment, plural } from './words.js';

interface Cluster {
  x: number;
  events: HappenedEvent[]; // oldest first
}

interface Row {
  root: HTMLElement;
  button: HTMLButtonElement;
  cluster: Cluster;
}

const nearest = 24; // pixels between two buttons: as large as a finger or a shaky hand needs

/** Events nearer than a button's width share one. */
export function clusters(
  events: readonly HappenedEvent[],
  position: (unixMs: number) => number | null,
): Cluster[] {
  const found: Cluster[] = [];
  for (const event of [...events].reverse()) {
    const x = position(event.unixMs);
    if (x === null) continue;
    const last = found[found.length - 1];
    if (last && x - last.x < nearest) last.events.push(event);
    else found.push({ x, events: [event] });
  }
  return found;
}

function glyph(events: readonly HappenedEvent[]): string {
  // "2 → 3 replicas: …"
  const ups = events.filter((event) => {
    const [before, after] = (/^(\d+) → (\d+)/.exec(event.text) ?? []).slice(1).map(Number);
    return before !== undefined && after !== undefined && after > before;
  }).length;
  return ups === events.length ? '▲' : ups === 0 ? '▼' : '◆';
}

export class Marks {
  readonly root = el('ol', { class: 'marks', 'aria-label': 'Scaling events in this time' });
  private readonly list: Keyed<Cluster, Row>;
  private chosen: number | null = null;

  constructor(open: (decision: number) => void) {
    this.list = new Keyed(
      this.root,
      (cluster) => String(cluster.events[0]!.id),
      (cluster) => {
        const button = el('button', { type: 'button' });
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

  set(
    events: readonly HappenedEvent[],
    position: (unixMs: number) => number | null,
    chosen: number | null,
    now: number,
  ): void {
    this.chosen = chosen;
    this.list.set(clusters(events, position));
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
    const sign = glyph(cluster.events);
    setText(
      row.button,
      cluster.events.length > 1
        ? cluster.events.length > 99
          ? '99+'
          : String(cluster.events.length)
        : sign,
    );
    setAttribute(row.button, 'data-sign', sign);
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
