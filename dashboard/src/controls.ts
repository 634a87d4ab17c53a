/** The bar at the top: whether it is live, which time is shown, light or dark. */

import type { Span } from './api.js';
import { el, setAttribute, setText, show } from './dom.js';
import { sayBehindMs } from './lag.js';
import type { Connection } from './live.js';
import { searchFrom } from './overview.js';
import { token } from './token.js';
import { isLive, presets, type Preset, type View } from './view.js';
import { clock, duration, moment, plural, zone } from './words.js';

const names: Record<Preset, string> = {
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
};

/** Of <input type=datetime-local>: local, to the second. */
function local(unixMs: number): string {
  const at = new Date(unixMs - new Date(unixMs).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 19);
}

export class Range {
  readonly root: HTMLElement;
  private readonly radios = new Map<string, HTMLInputElement>();
  private readonly since = el('input', {
    type: 'datetime-local',
    step: '1',
    required: true,
    'aria-label': 'From',
  });
  private readonly until = el('input', {
    type: 'datetime-local',
    step: '1',
    required: true,
    'aria-label': 'To',
  });
  private readonly form: HTMLFormElement;
  private readonly problem = el('span', { class: 'problem', role: 'alert' });
  private range: View['range'] | null = null; // what is shown
  private byArrow = false;

  constructor(
    private readonly go: (range: Preset | Span) => void,
    private readonly span: () => Span,
  ) {
    const set = el(
      'fieldset',
      { class: 'range' },
      el('legend', { class: 'unseen', text: 'Time range' }),
    );
    for (const key of [...Object.keys(presets), 'custom']) {
      const radio = el('input', { type: 'radio', name: 'range', value: key });
      radio.addEventListener('change', () => this.choose(key));
      this.radios.set(key, radio);
      const name =
        key === 'custom' ? 'A time of your choice' : `The last ${names[key as Preset]}, live`;
      radio.setAttribute('aria-label', name);
      set.append(el('label', { title: name }, radio, el('span', { text: key })));
    }
    this.form = el(
      'form',
      { class: 'custom', hidden: true },
      this.since,
      el('span', { text: 'to' }),
      this.until,
      el('button', { text: 'Show' }),
      this.problem,
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    set.addEventListener('keydown', ({ key }) => (this.byArrow = key.startsWith('Arrow')));
    set.addEventListener('pointerdown', () => (this.byArrow = false));
    this.root = el('div', { class: 'times' }, set, this.form);
  }

  private choose(key: string): void {
    if (key !== 'custom') {
      show(this.form, false);
      this.go(key as Preset);
      return;
    }
    const { since, until } = this.span();
    this.since.value = local(since);
    this.until.value = local(until);
    show(this.form, true);
    // Arrows go on through the ranges; from there Tab goes to the form.
    if (!this.byArrow) this.since.focus();
  }

  /** Closes the form where it was opened and not used; whether it was. */
  close(): boolean {
    if (this.form.hidden || this.range === null || !isLive(this.range)) return false;
    const radio = this.radios.get(this.range)!;
    radio.checked = true;
    if (this.root.contains(document.activeElement)) radio.focus();
    show(this.form, false);
    return true;
  }

  private submit(): void {
    const [since, until] = [Date.parse(this.since.value), Date.parse(this.until.value)];
    const good = since < until;
    setText(this.problem, good ? '' : 'The end has to be after the beginning.');
    if (good) this.go({ since, until });
  }

  set(range: View['range']): void {
    if (JSON.stringify(range) === JSON.stringify(this.range)) return; // what is being typed stays
    this.range = range;
    this.radios.get(isLive(range) ? range : 'custom')!.checked = true;
    show(this.form, !isLive(range));
    setText(this.problem, '');
    if (isLive(range)) return;
    this.since.value = local(range.since);
    this.until.value = local(range.until);
  }
}

interface Looking {
  live: boolean; // at what goes on
  span: Span;
  now: number;
  behindMs: number; // what is shown
}

export class Liveness {
  readonly root = el('p', { class: 'liveness' });
  readonly banner: HTMLElement;
  private readonly words = el('span');
  private readonly bannerWords = el('span');
  // Said once when it changes; the seconds until the next try are not read out each time.
  readonly announced = el('p', { class: 'unseen', role: 'status' });
  private state = '';
  private lostAt = 0;
  private gap = '';

  constructor(again: () => void) {
    this.root.append(el('i', { class: 'dot' }), this.words);
    const now = el('button', { type: 'button', text: 'Try now', on: { click: again } });
    this.banner = el(
      'div',
      { class: 'banner', role: 'region', 'aria-label': 'Connection', hidden: true },
      this.bannerWords,
      now,
    );
  }

  set(connection: Connection, looking: Looking): void {
    const { state, since, retryAt, refused, token } = connection;
    const { live, span, now, behindMs } = looking;
    const late = behindMs >= sayBehindMs;
    const offset = now - Date.now(); // the server's clock less ours
    const stateShown = state !== 'live' ? state : !live ? 'past' : late ? 'late' : 'live';
    setAttribute(this.root, 'data-state', stateShown);
    const lost = `Not connected to Headroom since ${clock(since + offset)}`;
    setText(
      this.words,
      state === 'lost'
        ? token
          ? 'token needed'
          : 'not connected'
        : state === 'connecting'
          ? 'connecting'
          : live
            ? late
              ? `live, ${duration(behindMs)} behind`
              : 'live'
            : 'looking back',
    );
    show(this.banner, state === 'lost' && !token);
    const wait = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    setText(
      this.bannerWords,
      `${lost}${refused ? `, which says: ${refused}` : ''}. What you see is of that time. ` +
        (wait > 0 ? `Next try in ${wait} s.` : 'Trying …'),
    );
    this.root.title = `${moment(span.since, now)} to ${moment(span.until, now)}`;
    if (state === this.state) return;
    if (state === 'lost') this.lostAt = since;
    if (state === 'live' && this.state === 'lost') {
      this.gap = `Connected again at ${clock(Date.now() + offset)}, after ${duration(Date.now() - this.lostAt)} without.`;
    }
    this.state = state;
    setText(
      this.announced,
      state === 'lost' && !token ? `${lost}.` : state === 'live' ? this.gap : '',
    );
  }
}

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

export class ThemeSwitch {
  readonly root = el('button', { type: 'button', class: 'theme' });
  private theme: Theme = 'system';

  constructor(private readonly repaint: () => void) {
    try {
      const stored = localStorage.getItem('headroom-theme');
      if (themes.includes(stored as Theme)) this.theme = stored as Theme;
    } catch {
      // Storage is refused: the choice holds for as long as the page.
    }
    this.apply();
    this.root.addEventListener('click', () => {
      this.theme = themes[(themes.indexOf(this.theme) + 1) % themes.length]!;
      try {
        localStorage.setItem('headroom-theme', this.theme);
      } catch {
        // As above.
      }
      this.apply();
    });
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
      matchMedia(query).addEventListener('change', () => this.repaint());
  }

  private apply(): void {
    setAttribute(
      document.documentElement,
      'data-theme',
      this.theme === 'system' ? null : this.theme,
    );
    this.root.replaceChildren(
      el('span', { class: 'unseen', text: 'Colours: ' }),
      el('span', {
        'aria-hidden': 'true',
        text: { system: '◐ ', light: '○ ', dark: '● ' }[this.theme],
      }),
      this.theme,
    );
    this.repaint();
  }
}

/** The zone of every time on the page, and how the page is used. */
export function foot(version: () => string): { root: HTMLElement; set(services: number): void } {
  const words = el('span');
  const forget = el('button', { type: 'button', text: 'Forget the token', hidden: true });
  forget.addEventListener('click', () => {
    token.set(null);
    location.reload(); // and with it all that was shown
  });
  const find = el('span', {}, el('kbd', { text: '/' }), ' find, ');
  const walk = el('span', {}, el('kbd', { text: '↑' }), el('kbd', { text: '↓' }), ' services, ');
  const root = el(
    'footer',
    {},
    words,
    forget,
    el('span', { class: 'keys' }, 'Keys: ', find, walk, el('kbd', { text: 'Esc' }), ' back to now'),
  );
  return {
    root,
    set: (services) => {
      show(forget, token.known);
      show(find, services >= searchFrom);
      show(walk, services > 1);
      setText(
        words,
        `Times are local: ${zone(Date.now())}.` +
          (version() ? ` Headroom ${version()}, ${plural(services, 'service')}.` : ''),
      );
    },
  };
}
