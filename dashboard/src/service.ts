/** The head of a service: is it well, why this number, and the numbers of now. */

import type { Autoscaler, HappenedEvent } from './api.js';
import { el, Keyed, setAttribute, setText, show } from './dom.js';
import { sampleOf } from './series.js';
import {
  bytes,
  capacityOf,
  duration,
  held,
  kept,
  latency,
  loadOf,
  moment,
  number,
  plural,
} from './words.js';

class Figure {
  readonly root: HTMLElement;
  readonly value = el('dd', { class: 'value' });
  readonly note = el('dd', { class: 'note' });

  constructor(label: string) {
    this.root = el('div', { class: 'figure' }, el('dt', { text: label }), this.value, this.note);
  }

  set(value: string, note: string, mood: string | null = null): void {
    setText(this.value, value);
    setText(this.note, note);
    setAttribute(this.root, 'data-mood', mood);
  }
}

interface Held {
  key: string;
  text: string;
  by: 'operator' | 'rule';
}

interface HeldRow {
  root: HTMLElement;
  text: HTMLElement;
}

export class Head {
  readonly root: HTMLElement;
  private readonly ofNow = el(
    'p',
    { class: 'of-now', hidden: true },
    el('b', { text: 'Now' }),
    ' (the charts and events below are of the time that you look back at)',
  );
  private readonly name = el('h1');
  private readonly state = el('p', { class: 'state' });
  private readonly address = el('p', { class: 'address' });
  private readonly objective = el('p', { class: 'objective', hidden: true });
  private readonly holding = el('ul', { class: 'holding', 'aria-label': 'What is being held' });
  private readonly held: Keyed<Held, HeldRow>;
  private readonly replicas = new Figure('Replicas ready');
  private readonly load = new Figure('Load');
  private readonly waiting = new Figure('Waiting');
  private readonly latency = new Figure('Latency p99');
  private readonly used = new Figure('CPU');
  private readonly failed = new Figure('Failed');
  private readonly bar = el('span', { class: 'fill' });

  constructor() {
    this.held = new Keyed<Held, HeldRow>(
      this.holding,
      (item) => item.key,
      (item) => {
        const text = el('span');
        return { root: el('li', { 'data-by': item.by }, text), text };
      },
      (row, item) => setText(row.text, item.text),
    );
    this.load.root.append(el('span', { class: 'bar', 'aria-hidden': 'true' }, this.bar));
    const figures = [this.replicas, this.load, this.waiting, this.latency, this.used, this.failed];
    this.root = el(
      'header',
      { class: 'head' },
      this.ofNow,
      el('div', { class: 'title' }, this.name, this.state, this.address),
      this.objective,
      this.holding,
      el('dl', { class: 'figures' }, ...figures.map((figure) => figure.root)),
    );
  }

  set(service: Autoscaler, events: readonly HappenedEvent[], now: number, live: boolean): void {
    const state = service.state;
    show(this.ofNow, !live);
    setText(this.name, service.name);
    setText(this.state, `${state.name}: ${state.why}`);
    setAttribute(this.state, 'data-mood', state.mood);
    setText(this.address, service.listening ? `on ${service.listening}` : '');
    const objective = service.objective;
    show(this.objective, objective !== null);
    if (objective) {
      const mood = objective.missed
        ? 'warning'
        : objective.recent.share === null
          ? 'quiet'
          : 'good';
      const how = { warning: 'missed', quiet: 'no request yet', good: 'kept' }[mood];
      setText(this.objective, `Objective ${how}: ${kept(objective)}`);
      setAttribute(this.objective, 'data-mood', mood);
    }
    this.held.set(heldOf(service, events, now, live));
    show(this.holding, this.held.rows.size > 0);
    this.setFigures(service);
  }

  private setFigures(service: Autoscaler): void {
    const { wanted, ready, starting, draining, backingOff } = service.replicas;
    const parts = [
      starting && `${starting} starting`,
      draining && `${draining} draining`,
      backingOff && `${backingOff} backing off`,
    ].filter(Boolean);
    this.replicas.set(
      ready === wanted ? String(ready) : `${ready} of ${wanted}`,
      [...parts, `${service.minReplicas} to ${service.maxReplicas} allowed`].join(', '),
      backingOff ? 'bad' : null,
    );
    const load = loadOf(service);
    const capacity = capacityOf(service);
    const rate = service.target?.of === 'rate';
    const share = load !== null && capacity ? load / capacity : null;
    this.load.set(
      number(load) + (capacity === null ? '' : ` of ${number(capacity)}`),
      (rate ? 'requests/s' : 'requests in flight') +
        (service.target ? `, ${number(service.target.value)} a replica` : '') +
        (!rate && service.load ? `; ${number(service.load.rate)}/s` : ''),
      share !== null && share > 1 ? 'warning' : null,
    );
    this.bar.style.width = `${Math.min(1, share ?? 0) * 100}%`;
    const waiting = service.load?.waiting ?? null;
    this.waiting.set(number(waiting), 'requests without a replica', waiting ? 'warning' : null);
    const times = service.latency;
    this.latency.set(
      latency(times?.p99Ms),
      times ? `p50 ${latency(times.p50Ms)}, p95 ${latency(times.p95Ms)}` : 'no request in 10 s',
      service.objective?.missed ? 'warning' : null,
    );
    const now = sampleOf(service, 0);
    this.used.set(number(now.cpu), `cores; memory ${bytes(now.memory)}`);
    const requests = service.requests;
    this.failed.set(
      number(requests?.failed),
      requests ? `of ${number(requests.completed)}; ${number(requests.rejected)} rejected` : '',
      requests?.failedRecently ? 'bad' : null,
    );
  }
}

/** What keeps the number where it is, the gravest first. */
export function heldOf(
  service: Autoscaler,
  events: readonly HappenedEvent[],
  now: number,
  live: boolean, // the events are those until now
): Held[] {
  const found: Held[] = [];
  if (service.hold) {
    // Certain only where the newest word of an operator is this hold.
    const last = live ? events.find((event) => event.kind === 'operator') : undefined;
    const words = `${service.hold.why === 'paused' ? 'paused' : 'pinned'} at ${service.hold.replicas} `;
    const since = last?.text.startsWith(words) ? last : undefined;
    const until = service.hold.untilUnixMs;
    found.push({
      key: 'operator',
      by: 'operator',
      text:
        `${held(service.hold)} by an operator` +
        (since ? ` since ${moment(since.unixMs, now)}` : '') +
        (until === null
          ? ', until somebody resumes it'
          : ` until ${moment(until, now)} (${duration(until - now)} left)`),
    });
  }
  for (const [i, step] of (service.decision?.steps ?? []).entries()) {
    if (!step.holds || (service.hold && (step.code === 'Pinned' || step.code === 'Paused')))
      continue;
    found.push({
      key: `${i} ${step.code}`,
      by: 'rule',
      // After the word "held".
      text: step.text.replace(/^held /, '') || `${step.code}: ${plural(step.after, 'replica')}`,
    });
  }
  return found;
}
