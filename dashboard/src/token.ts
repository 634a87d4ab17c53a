/** The token, where Headroom wants one: asked for, kept for this tab, sent in a header alone. */

import { el, setText, show } from './dom.js';
import type { Connection } from './live.js';

const key = 'headroom-token';

/** In memory and, so that a reload does not ask again, in this tab's storage. Never in an address. */
class Token {
  private value: string | null = null;

  constructor() {
    try {
      this.value = sessionStorage.getItem(key);
    } catch {
      // Storage is refused: it is kept as long as the page.
    }
  }

  get known(): boolean {
    return this.value !== null;
  }

  set(value: string | null): void {
    this.value = value;
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {
      // As above.
    }
  }

  headers(): Record<string, string> {
    return this.value === null ? {} : { Authorization: `Bearer ${this.value}` };
  }
}

export const token = new Token();

/** What a header can carry; anything else is no token of Headroom's. */
const fits = (text: string) => /^[\x21-\x7e]{16,4096}$/.test(text);

export class TokenForm {
  readonly root: HTMLElement;
  private readonly input = el('input', {
    type: 'password',
    id: 'token',
    required: true,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-describedby': 'token-problem',
  });
  private readonly problem = el('p', { class: 'problem', id: 'token-problem', role: 'alert' });
  private shown: Connection['token'] = null;

  constructor(again: () => void) {
    const form = el(
      'form',
      { 'aria-label': 'Token' },
      el('label', { for: 'token', text: 'Token' }),
      this.input,
      el('button', { text: 'Show' }),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (!fits(text)) {
        this.refuse('No token looks like that: it has at least 16 characters, and no spaces.');
        return;
      }
      setText(this.problem, '');
      this.shown = 'wanted'; // a wrong one is said again
      token.set(text);
      again();
    });
    this.root = el(
      'div',
      { class: 'token', hidden: true },
      el('p', {
        text: 'What runs is shown to who has the token: the first line of the file that --admin-token-file names. It stays in this tab.',
      }),
      isSecureContext
        ? null
        : el('p', {
            class: 'warning',
            text: 'This connection is not encrypted: who is on its way can read the token. Use --admin-certificate, or a tunnel.',
          }),
      form,
      this.problem,
    );
  }

  private refuse(why: string): void {
    setText(this.problem, why);
    this.input.setAttribute('aria-invalid', 'true');
    this.input.focus();
    this.input.select();
  }

  set({ state, token: wants }: Connection): void {
    if (state === 'live') {
      this.input.value = '';
      this.input.removeAttribute('aria-invalid');
      setText(this.problem, '');
    }
    if (state === 'connecting') return; // as it was, until it is known
    show(this.root, wants !== null);
    if (wants === this.shown) return;
    this.shown = wants;
    if (wants === 'wrong') this.refuse('Wrong: Headroom has another token than this one.');
    // Nothing else on the page is being used.
    else if (wants === 'wanted' && document.activeElement === document.body) this.input.focus();
  }
}
