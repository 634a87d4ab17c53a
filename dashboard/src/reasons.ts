/** Why there are so many: a decision's chain of steps, its conditions, and what was seen. */

import * as api from './api.js';
import type { Condition, Decision, HappenedEvent, Step } from './api.js';
import { el, Keyed, setAttribute, setText, show } from './dom.js';
import { moment, number, plural } from './words.js';

interface StepRow {
  root: HTMLElement;
  stage: HTMLElement;
  move: HTMLElement;
  text: HTMLElement;
  code: HTMLElement;
}

interface ConditionRow {
  root: HTMLElement;
  name: HTMLElement;
  text: HTMLElement;
}

export const whyId = 'why-panel';

export class Reasons {
  readonly root: HTMLElement;
  private readonly title = el('h2', { id: 'why', tabindex: '-1' });
  private readonly when = el('p', { class: 'when' });
  private readonly reason = el('p', { class: 'reason' });
  private readonly outcome = el('p', { class: 'outcome' });
  private readonly steps = el('ol', { class: 'steps', 'aria-label': 'Steps, in order' });
  private readonly conditions = el('ul', { class: 'conditions', 'aria-label': 'Conditions' });
  private readonly body: HTMLElement;
  private readonly problem = el('p', { class: 'nothing' });
  private readonly seen = el('pre', {
    tabindex: '0',
    role: 'region',
    'aria-label': 'What was seen',
  });
  private readonly seenBy = el('summary');
  private readonly details: HTMLDetailsElement;
  private readonly earlier: HTMLButtonElement;
  private readonly later: HTMLButtonElement;
  private readonly newest: HTMLButtonElement;
  private readonly stepList: Keyed<{ step: Step; key: string }, StepRow>;
  private readonly conditionList: Keyed<Condition, ConditionRow>;
  // What was opened, in a sentence: it may be far from what opened it.
  private readonly announced = el('p', { class: 'unseen', role: 'status' });
  private shown: Decision | null = null;
  private chosen: number | null = null;
  private seenOf = ''; // the service and what was opened of it
  private events: readonly HappenedEvent[] = [];

  constructor(private readonly open: (decision: number | null) => void) {
    const button = (text: string, label: string, go: () => void) =>
      el('button', { type: 'button', text, 'aria-label': label, title: label, on: { click: go } });
    this.earlier = button('‹', 'The scaling event before', () => this.walk(1));
    this.later = button('›', 'The scaling event after', () => this.walk(-1));
    this.newest = button('now', 'Back to now (Esc)', () => this.open(null));
    this.details = el('details', {}, this.seenBy, this.seen);
    this.details.addEventListener('toggle', () => void this.look());
    this.stepList = new Keyed(
      this.steps,
      (item) => item.key,
      () => this.stepRow(),
      (row, item) => this.setStep(row, item.step),
    );
    this.conditionList = new Keyed(
      this.conditions,
      (condition) => condition.type,
      () => this.conditionRow(),
      (row, condition) => {
        const good = condition.status === 'True';
        setAttribute(row.root, 'data-status', condition.status);
        setText(
          row.name,
          `${condition.type} is ${condition.status === 'Unknown' ? 'unknown' : String(good)}`,
        );
        setText(
          row.text,
          condition.message ? `${condition.reason}: ${condition.message}` : condition.reason,
        );
      },
    );
    this.body = el('div', {}, this.reason, this.outcome, this.steps, this.conditions, this.details);
    this.root = el(
      'section',
      { class: 'panel why', id: whyId, 'aria-labelledby': 'why' },
      el(
        'header',
        {},
        this.title,
        el('div', { class: 'walk' }, this.earlier, this.later, this.newest),
      ),
      this.when,
      this.problem,
      this.body,
      this.announced,
    );
  }

  private stepRow(): StepRow {
    const row = {
      stage: el('span', { class: 'stage' }),
      move: el('span', { class: 'move' }),
      text: el('span', { class: 'text' }),
      code: el('code'),
    };
    return { ...row, root: el('li', {}, el('div', {}, row.stage, row.move, row.code), row.text) };
  }

  private conditionRow(): ConditionRow {
    const row = { name: el('b'), text: el('span') };
    return { ...row, root: el('li', {}, row.name, row.text) };
  }

  private setStep(row: StepRow, step: Step): void {
    setText(row.stage, step.stage);
    setText(
      row.move,
      step.before === step.after ? String(step.after) : `${step.before} → ${step.after}`,
    );
    setText(row.text, step.text);
    setText(row.code, step.code);
    const inputs = Object.entries(step.inputs ?? {}).map(
      ([name, value]) => `${name} ${typeof value === 'number' ? number(value) : value}`,
    );
    setAttribute(row.code, 'title', inputs.join(', ') || null);
    setAttribute(
      row.root,
      'data-kind',
      step.holds ? 'held' : step.before !== step.after ? 'moved' : null,
    );
  }

  set(
    decision: Decision | string | null,
    events: readonly HappenedEvent[],
    chosen: number | null, // by its number; null: the newest
    now: number,
  ): void {
    const newest = chosen === null;
    this.chosen = chosen;
    this.events = events;
    this.shown = typeof decision === 'object' ? decision : null;
    show(this.body, this.shown !== null);
    show(this.problem, this.shown === null);
    // What is hidden cannot keep the focus.
    if (newest && document.activeElement === this.newest) this.title.focus();
    show(this.newest, !newest);
    this.setWalk();
    setText(this.announced, newest || decision === '…' ? '' : sentence(decision, now));
    if (!this.shown) {
      setText(this.title, 'Why');
      setText(this.when, '');
      setText(this.problem, typeof decision === 'string' ? decision : 'Nothing is decided yet.');
      return;
    }
    const { autoscaler, before, after, unixMs, reason, outcome, steps, conditions, id } =
      this.shown;
    setText(this.title, `Why ${plural(after, 'replica')}`);
    setText(
      this.when,
      newest
        ? `the newest decision, ${moment(unixMs, now)}`
        : `the decision of ${moment(unixMs, now)}` + (id === null ? '' : `, number ${id}`),
    );
    setText(this.reason, (before === after ? '' : `${before} → ${after}: `) + reason);
    setText(this.outcome, outcome ?? '');
    show(this.outcome, !!outcome);
    this.stepList.set(steps.map((step, i) => ({ step, key: String(i) })));
    this.conditionList.set(conditions);
    show(this.details, id !== null);
    const of = `${autoscaler} ${newest ? 'now' : `${id} ${unixMs}`}`;
    if (id === null || of === this.seenOf) return;
    this.seenOf = of;
    setText(this.seenBy, 'What was seen');
    setText(this.seen, '');
    void this.look();
  }

  // Not disabled: that would take the focus away at the last one.
  private setWalk(): void {
    setAttribute(this.earlier, 'aria-disabled', String(this.beside(1) === null));
    setAttribute(this.later, 'aria-disabled', String(this.beside(-1) === null));
  }

  /** The scaling event so many towards the past; from now the newest is the next. */
  private beside(by: number): number | null {
    const at = this.events.findIndex((event) => event.decision === this.chosen);
    if (at < 0 && this.chosen !== null) return null; // it is not among them
    return this.events[at + by]?.decision ?? null;
  }

  private walk(by: number): void {
    const decision = this.beside(by);
    if (decision !== null) this.open(decision);
  }

  /**
   * The observation is asked for only when somebody wants to see it. That of the newest decision
   * stays while it is read, though newer ones come.
   */
  private async look(): Promise<void> {
    const id = this.shown?.id;
    if (!this.details.open || id === null || id === undefined) return;
    const of = this.seenOf;
    const text = await api.decision(id).then(
      ({ observation }) => JSON.stringify(observation ?? null, null, 2),
      (error: Error) => error.message,
    );
    if (of !== this.seenOf) return; // something else is looked at by now
    setText(this.seenBy, `What was seen by decision ${id}`);
    setText(this.seen, text);
  }
}

function sentence(decision: Decision | string | null, now: number): string {
  if (typeof decision !== 'object' || decision === null) return decision ?? '';
  const { before, after, reason, unixMs } = decision;
  const move =
    before === after ? plural(after, 'replica') : `${before} → ${plural(after, 'replica')}`;
  return `Decision of ${moment(unixMs, now)}: ${move}, ${reason}`;
}
