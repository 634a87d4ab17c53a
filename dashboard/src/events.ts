/** What happened in the time in view, newest first. */

import type { HappenedEvent } from './api.js';
import { el, Keyed, setAttribute, setText, show } from './dom.js';
import { moment } from './words.js';

interface Row {
  root: HTMLElement;
  time: HTMLTimeElement;
  kind: HTMLElement;
  text: HTMLElement;
}

const page = 50;

// In another journal an id is another event's.
const keyOf = (event: HappenedEvent) => `${event.id} ${event.unixMs}`;

export class Events {
  readonly root: HTMLElement;
  private readonly list: Keyed<HappenedEvent, Row>;
  private readonly rows = el('ol', { class: 'events', 'aria-labelledby': 'events' });
  private readonly none = el('p', { class: 'nothing', text: 'Nothing happened in this time.' });
  private readonly more = el('button', {
    type: 'button',
    class: 'more',
    text: 'Show earlier ones',
  });
  private readonly earlier = el('p', {
    class: 'nothing',
    text: 'There are earlier ones: choose a shorter time.',
  });
  private readonly only = el(
    'select',
    { 'aria-label': 'Kind of event' },
    ...['all', 'rescale', 'trouble', 'operator', 'policy', 'ready', 'draining', 'gone'].map(
      (kind) => el('option', { text: kind, value: kind }),
    ),
  );
  private count = page;

  constructor(open: (decision: number) => void, changed: () => void) {
    this.list = new Keyed<HappenedEvent, Row>(
      this.rows,
      keyOf,
      (event) => {
        const row = {
          time: el('time'),
          kind: el('span', { class: 'kind' }),
          text: el('span', { class: 'text' }),
        };
        const inner =
          event.decision === null
            ? el('div', {}, row.time, row.kind, row.text)
            : el(
                'button',
                { type: 'button', on: { click: () => open(event.decision!) } },
                row.time,
                row.kind,
                row.text,
              );
        return { ...row, root: el('li', { 'data-kind': event.kind }, inner) };
      },
      (row, event) => {
        setText(row.kind, event.kind);
        setText(row.text, event.text);
        row.time.dateTime = new Date(event.unixMs).toISOString();
      },
    );
    this.more.addEventListener('click', () => {
      this.count += page;
      changed();
    });
    this.only.addEventListener('change', () => {
      this.count = page;
      changed();
    });
    this.root = el(
      'section',
      { class: 'panel happened', 'aria-labelledby': 'events' },
      el('header', {}, el('h2', { id: 'events', text: 'Events' }), this.only),
      this.none,
      el(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Events, scrollable' },
        this.rows,
        this.more,
        this.earlier,
      ),
    );
  }

  set(events: readonly HappenedEvent[], more: boolean, chosen: number | null, now: number): void {
    const kind = this.only.value;
    const found = kind === 'all' ? events : events.filter((event) => event.kind === kind);
    const shown = found.slice(0, this.count);
    this.list.set(shown);
    for (const event of shown) {
      const row = this.list.rows.get(keyOf(event))!;
      setText(row.time, moment(event.unixMs, now));
      setAttribute(
        row.root,
        'data-chosen',
        event.decision !== null && event.decision === chosen ? 'true' : null,
      );
    }
    show(this.none, found.length === 0);
    show(this.more, found.length > shown.length);
    show(this.earlier, more && found.length === shown.length);
  }
}
