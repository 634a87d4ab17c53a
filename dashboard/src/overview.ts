/** All services: each one's state in a word, its replicas, and its load beside its capacity. */

import type { Autoscaler } from './api.js';
import { el, Keyed, setAttribute, setText, show, svg } from './dom.js';
import { isGap, roomOf, type Sample, type Series } from './series.js';
import { capacityOf, loadOf, needsAttention, number, plural } from './words.js';

export const searchFrom = 8; // services
const [width, height] = [76, 26];
const spanMs = 15 * 60_000;

/** The paths of a sparkline: load as a line, capacity as an area. */
export function sparkPaths(
  samples: readonly Sample[],
  target: Autoscaler['target'],
  now: number,
): { load: string; capacity: string } {
  const load = (sample: Sample) => (target?.of === 'rate' ? sample.rate : sample.concurrency);
  const capacity = (sample: Sample) => (target ? roomOf(sample, target.of) : null);
  const most =
    samples.reduce((most, sample) => Math.max(most, load(sample) ?? 0, capacity(sample) ?? 0), 0) ||
    1;
  const x = (unixMs: number) =>
    Math.max(0, Math.min(width, width * (1 - (now - unixMs) / spanMs))).toFixed(1);
  const y = (value: number) => (height - 1 - (value / most) * (height - 3)).toFixed(1);
  let [line, area] = ['', ''];
  let pen = false;
  let before: Sample | null = null;
  for (const sample of samples) {
    const value = load(sample);
    if (before && isGap(before, sample)) pen = false;
    before = sample;
    if (value !== null)
      line += `${pen ? 'L' : 'M'}${x(sample.unixMs + sample.spanMs / 2)} ${y(value)}`;
    pen = value !== null;
    const room = capacity(sample);
    if (room)
      area += `M${x(sample.unixMs)} ${height}V${y(room)}H${x(sample.unixMs + sample.spanMs + 1000)}V${height}Z`;
  }
  return { load: line, capacity: area };
}

interface Row {
  root: HTMLLIElement;
  link: HTMLAnchorElement;
  word: HTMLElement;
  count: HTMLElement;
  load: HTMLElement;
  line: SVGElement;
  capacity: SVGElement;
  visible: boolean;
}

export interface Overviewed {
  services: Map<string, Autoscaler>;
  chosen: string | null;
  now: number;
  spark(name: string): Series;
  wantSpark(name: string): void;
  link(name: string): string;
}

export class Overview {
  readonly root: HTMLElement;
  private readonly find = el('input', {
    type: 'search',
    placeholder: 'Find a service',
    'aria-label': 'Find a service',
    'aria-keyshortcuts': '/',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  private readonly grave = el('input', { type: 'checkbox' });
  private readonly graveLabel = el('span');
  private readonly summary = el('p', { class: 'summary' });
  private readonly rows = el('ul');
  private readonly none = el('p', { class: 'nothing', text: 'None of them.' });
  private readonly tools: HTMLElement;
  private readonly list: Keyed<Autoscaler, Row>;
  private readonly watch: IntersectionObserver;
  private readonly byElement = new Map<Element, Row>();

  constructor(private readonly changed: () => void) {
    this.tools = el(
      'div',
      { class: 'tools' },
      this.find,
      el('label', {}, this.grave, this.graveLabel),
    );
    this.root = el(
      'nav',
      { class: 'overview', 'aria-label': 'Services' },
      this.summary,
      this.tools,
      this.rows,
      this.none,
    );
    this.find.addEventListener('input', changed);
    this.grave.addEventListener('change', changed);
    this.watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const row = this.byElement.get(entry.target);
        if (row) row.visible = entry.isIntersecting;
      }
      this.changed();
    });
    this.list = new Keyed(
      this.rows,
      (service) => service.name,
      (service) => this.create(service),
      () => undefined,
    );
    this.root.addEventListener('keydown', (event) => this.key(event));
  }

  private create(service: Autoscaler): Row {
    const line = svg('path', { class: 'line', fill: 'none' });
    const capacity = svg('path', { class: 'room' });
    const word = el('span', { class: 'word' });
    const count = el('span', { class: 'count' });
    const drawing = svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': 'true' },
      capacity,
      line,
    );
    const load = el('span', { class: 'unseen' });
    const ready = el('span', { class: 'unseen', text: ' replicas ready' });
    const link = el(
      'a',
      {},
      el('span', { class: 'name', text: service.name, title: service.name }),
      el('span', { class: 'right' }, count, ready),
      word,
      load,
    );
    link.append(drawing);
    const root = el('li', {}, link);
    const row: Row = { root, link, word, count, load, line, capacity, visible: false };
    this.byElement.set(root, row);
    this.watch.observe(root);
    return row;
  }

  /** Up and down go from one to the next, Esc leaves the search. */
  private key(event: KeyboardEvent): void {
    const links = [...this.rows.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === 'Escape' && event.target === this.find) {
      this.find.value = '';
      this.find.blur();
      this.changed();
      event.stopPropagation();
      return;
    }
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined || (event.target === this.find && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    if (to < 0) this.find.focus();
    else links[to]?.focus();
  }

  /** Whether there is a search. */
  search(): boolean {
    if (this.tools.hidden) return false;
    this.find.focus();
    this.find.select();
    return true;
  }

  set(data: Overviewed): void {
    const all = [...data.services.values()].sort((a, b) =>
      a.name.localeCompare(b.name, 'en', { numeric: true }),
    );
    const grave = all.filter((service) => needsAttention(service.state.mood)).length;
    const text = this.find.value.trim().toLowerCase();
    const found = all.filter(
      (service) =>
        service.name.toLowerCase().includes(text) &&
        (!this.grave.checked || needsAttention(service.state.mood)),
    );
    setText(
      this.summary,
      `${plural(all.length, 'service')}, ` +
        (grave ? `${grave} ${grave === 1 ? 'needs' : 'need'} attention` : 'all well'),
    );
    setAttribute(this.summary, 'data-mood', grave ? 'bad' : 'good');
    show(this.tools, all.length >= searchFrom);
    setText(this.graveLabel, `only what needs attention (${grave})`);
    show(this.none, found.length === 0 && all.length > 0);
    this.list.set(found);
    for (const service of found) this.update(this.list.rows.get(service.name)!, service, data);
    for (const [element, row] of this.byElement) {
      if (element.isConnected) continue;
      this.watch.unobserve(element);
      this.byElement.delete(element);
      row.visible = false;
    }
  }

  private update(row: Row, service: Autoscaler, data: Overviewed): void {
    const { ready, wanted } = service.replicas;
    setText(row.word, service.state.name);
    setAttribute(row.word, 'data-mood', service.state.mood);
    setText(row.count, ready === wanted ? String(ready) : `${ready}/${wanted}`);
    setAttribute(row.link, 'href', data.link(service.name));
    setAttribute(row.link, 'aria-current', service.name === data.chosen ? 'page' : null);
    if (!row.visible) return;
    const capacity = capacityOf(service);
    setText(
      row.load,
      `, load ${number(loadOf(service))}` + (capacity === null ? '' : ` of ${number(capacity)}`),
    );
    data.wantSpark(service.name);
    const paths = sparkPaths(data.spark(service.name).samples, service.target, data.now);
    setAttribute(row.line, 'd', paths.load);
    setAttribute(row.capacity, 'd', paths.capacity);
  }
}
