/** Each replica: its state, what it uses, and its last lines. */

import * as api from './api.js';
import type { Autoscaler, Instance, InstanceState, State } from './api.js';
import { el, Keyed, setAttribute, setText, show } from './dom.js';
import { bytes, duration, number, plain, plural, unknown } from './words.js';

const states: Record<InstanceState, string> = {
  starting: 'starting',
  ready: 'ready',
  draining: 'draining',
  backingOff: 'backing off',
};

const shownAtFirst = 50;
const keptCharacters = 64 * 1024;
const pollMs = 2000;

/** The last lines that a replica wrote, followed while they are open. */
class Output {
  readonly root = el('pre', { tabindex: '0', role: 'region' });
  private text = '';
  private end: number | undefined;
  private timer: number | undefined;
  private stopped = false;

  constructor(
    private readonly service: string,
    private readonly replica: number,
  ) {
    this.root.setAttribute('aria-label', `Last output of replica ${replica}`);
    this.root.textContent = '…';
    void this.poll();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async poll(): Promise<void> {
    if (!document.hidden) await this.ask();
    if (!this.stopped) this.timer = window.setTimeout(() => void this.poll(), pollMs);
  }

  private async ask(): Promise<void> {
    try {
      const { text, end, lost } = await api.output(this.service, this.replica, this.end);
      if (this.end === undefined || text || lost) {
        const all = this.text + (lost ? `[what came before is not kept]\n${text}` : text);
        this.text = all.slice(-keptCharacters);
      }
      this.draw();
      this.end = end;
    } catch (error) {
      if (this.end === undefined) setText(this.root, (error as Error).message);
    }
  }

  /** What somebody has marked to copy stays as it is until then; more may come after it. */
  private draw(): void {
    const { root } = this;
    const [before, text] = [root.textContent!, plain(this.text) || 'It has written nothing.'];
    if (text === before) return;
    const following = root.scrollTop + root.clientHeight >= root.scrollHeight - 4;
    const marked = getSelection();
    if (marked && !marked.isCollapsed && marked.containsNode(root, true)) {
      if (text.startsWith(before)) root.append(text.slice(before.length));
    } else {
      setText(root, text);
    }
    if (following) root.scrollTop = root.scrollHeight;
  }
}

/** A request starts one only where the state says so: it may be held at zero, or about to end. */
const noneRuns = ({ name, why }: State) => `None runs. The service is ${name}: ${why}.`;

interface Row {
  root: HTMLTableSectionElement;
  cells: Record<
    'state' | 'age' | 'cpu' | 'memory' | 'outstanding' | 'restarts' | 'pid',
    HTMLElement
  >;
  button: HTMLButtonElement;
  verb: HTMLElement;
  output: Output | null;
}

export class Replicas {
  readonly root: HTMLElement;
  private readonly title = el('h2', { id: 'replicas', text: 'Replicas' });
  private readonly none = el('p', { class: 'nothing' });
  private readonly table: HTMLTableElement;
  private readonly more = el('button', { type: 'button', class: 'more' });
  private readonly scroll: HTMLElement;
  private list: Keyed<Instance, Row>;
  private service = '';
  private all = false;

  constructor() {
    const heads = [
      'Replica',
      'Output',
      'State',
      'Age',
      'CPU',
      'Memory',
      'In flight',
      'Restarts',
      'PID',
    ];
    this.table = el(
      'table',
      {},
      el('caption', { class: 'unseen', text: 'Replicas, each with the requests open at it now' }),
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ...heads.map((text, i) =>
            el('th', { scope: 'col', text, class: i >= 7 ? 'minor' : null }),
          ),
        ),
      ),
    );
    this.list = this.newList();
    this.more.addEventListener('click', () => {
      this.all = true;
      this.more.hidden = true;
    });
    this.scroll = el('div', { class: 'scroll' }, this.table);
    this.root = el(
      'section',
      { class: 'panel replicas', 'aria-labelledby': 'replicas' },
      el('header', {}, this.title),
      this.none,
      this.scroll,
      this.more,
    );
  }

  private newList = () =>
    new Keyed<Instance, Row>(
      this.table,
      (instance) => String(instance.id),
      (instance) => this.create(instance),
      (row, instance) => this.update(row, instance),
      this.table.tHead,
    );

  // Each replica is a table body of its own, so that its output goes with it.
  private create(instance: Instance): Row {
    const cell = (minor = false) => el('td', { class: minor ? 'minor' : null });
    const cells = {
      state: cell(),
      age: cell(),
      cpu: cell(),
      memory: cell(),
      outstanding: cell(),
      restarts: cell(true),
      pid: cell(true),
    };
    const verb = el('span', { text: 'show' });
    const button = el(
      'button',
      { type: 'button', 'aria-expanded': 'false' },
      verb,
      el('span', { class: 'unseen', text: ` the last output of replica ${instance.id}` }),
    );
    const root = el(
      'tbody',
      {},
      el(
        'tr',
        {},
        el('th', { scope: 'row', text: String(instance.id) }),
        el('td', {}, button),
        ...Object.values(cells),
      ),
    );
    const row: Row = { root, cells, button, verb, output: null };
    button.addEventListener('click', () => this.toggle(row, instance.id));
    return row;
  }

  private toggle(row: Row, id: number): void {
    if (row.output) {
      row.output.stop();
      row.output = null;
      row.root.lastElementChild!.remove();
    } else {
      row.output = new Output(this.service, id);
      row.root.append(el('tr', { class: 'output' }, el('td', { colspan: '9' }, row.output.root)));
    }
    row.button.setAttribute('aria-expanded', String(row.output !== null));
    setText(row.verb, row.output ? 'hide' : 'show');
  }

  private update(row: Row, instance: Instance): void {
    const { cells } = row;
    setText(cells.state, states[instance.state] ?? instance.state);
    setAttribute(cells.state, 'data-state', instance.state);
    setText(cells.age, duration(instance.ageMs));
    setText(cells.cpu, instance.cpu === null ? unknown : number(instance.cpu));
    setText(cells.memory, bytes(instance.memory));
    setText(cells.outstanding, number(instance.outstanding));
    setText(cells.restarts, number(instance.restarts));
    setText(cells.pid, instance.pid ? String(instance.pid) : unknown);
  }

  set(service: Autoscaler | null): void {
    const name = service?.name ?? '';
    if (name !== this.service) {
      for (const row of this.list.rows.values()) row.output?.stop();
      this.list.set([]);
      this.list = this.newList();
      this.service = name;
      this.all = false;
    }
    const instances = service?.instances ?? [];
    const gone = new Set(instances.map((instance) => String(instance.id)));
    for (const [key, row] of this.list.rows) if (!gone.has(key)) row.output?.stop();
    this.list.set(this.all ? instances : instances.slice(0, shownAtFirst));
    setText(this.title, instances.length ? plural(instances.length, 'replica') : 'Replicas');
    setText(this.none, service ? noneRuns(service.state) : '');
    show(this.none, instances.length === 0);
    show(this.scroll, instances.length > 0);
    show(this.more, !this.all && instances.length > shownAtFirst);
    setText(this.more, `Show all ${instances.length}`);
  }
}
