/** One chart: its plot, the numbers at the cursor, and its table. */

import uPlot from 'uplot';
import { axisWidth, byteSteps, colour, decades, rightPadding, splits } from './axes.js';
import type { Chart, Line } from './charts.js';
import { el, setAttribute, setText } from './dom.js';
import { thinned, type Sample } from './series.js';
import type { Stack } from './stack.js';
import { clock, day, moment, number, percent, plural } from './words.js';

const sayEveryMs = 5000;
const timesHeight = 22;

export class Panel {
  readonly root: HTMLElement;
  readonly plot: uPlot;
  readonly header: HTMLElement;
  private readonly place = el('div', { class: 'plot', role: 'img' });
  private readonly numbers: HTMLElement[];
  private readonly note: HTMLElement | null;
  private readonly share: HTMLElement | null;
  private readonly table = el('div', { class: 'scroll', tabindex: '0', role: 'region' });
  private readonly disclosure: HTMLDetailsElement;
  private samples: readonly Sample[] = [];
  private now = 0;
  private said = 0; // the summary, and the table while it is open
  private view = '';

  constructor(
    readonly chart: Chart,
    readonly timed: boolean, // has the times under it
    private readonly stack: Stack,
  ) {
    this.numbers = chart.lines.map(() => el('b'));
    this.note = chart.note ? el('b') : null;
    this.share = chart.share ? el('b') : null;
    const legend = el(
      'ul',
      { class: 'legend' },
      ...chart.lines.map((line, i) =>
        el(
          'li',
          {},
          el('i', {
            class: `swatch of-${line.colour} ${line.kind ?? 'line'}${line.dash ? ' dashed' : ''}`,
          }),
          line.label + ' ',
          this.numbers[i]!,
        ),
      ),
      this.share &&
        el('li', {}, el('i', { class: 'swatch of-late' }), `${chart.share!.label} `, this.share),
      this.note && el('li', {}, el('i', { class: 'swatch of-failed' }), 'failed ', this.note),
    );
    this.disclosure = el(
      'details',
      { class: 'as-table' },
      el('summary', {}, 'Table', el('span', { class: 'unseen', text: ` of ${chart.title}` })),
      this.table,
    );
    this.table.setAttribute('aria-label', `${chart.title}, as a table`);
    this.disclosure.addEventListener('toggle', () => this.fillTable());
    this.header = el('header', {}, el('h3', { text: chart.title }), legend);
    this.root = el(
      'figure',
      { class: 'chart', 'aria-label': chart.title },
      this.header,
      this.place,
      this.disclosure,
    );
    this.plot = new uPlot(
      this.options(timed),
      [[], ...chart.lines.map(() => [])] as uPlot.AlignedData,
      this.place,
    );
  }

  get height(): number {
    return this.chart.height + (this.timed ? timesHeight : 0);
  }

  private options(timed: boolean): uPlot.Options {
    const { chart, stack } = this;
    return {
      width: 600,
      height: this.height,
      ms: 1,
      padding: [6, rightPadding, timed ? 0 : 6, 0],
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: 'time' },
        drag: { x: true, y: false, setScale: false, dist: 8 },
        points: { size: 6 },
      },
      scales: {
        x: { time: true, range: () => [stack.min, stack.max] },
        y: chart.logarithmic
          ? {
              distr: 3,
              range: (_u, min, max) =>
                min > 0 && max > 0 ? uPlot.rangeLog(min, max, 10, false) : [0.1, 100],
            }
          : {
              range: (_u, _min, max) => [
                0,
                chart.whole ? Math.max(2, (max ?? 0) + 0.5) : (max || 1) * 1.12,
              ],
            },
      },
      axes: [
        {
          size: timed ? timesHeight : 0,
          gap: 4,
          font: '11px system-ui, sans-serif',
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          splits: (u) => splits(stack.min, stack.max, u.width / 78),
          values: (u, times) => (timed ? this.times(u, times) : times.map(() => null)),
        },
        {
          size: axisWidth,
          gap: 4,
          font: '11px system-ui, sans-serif',
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          space: 24,
          ...(chart.logarithmic
            ? { splits: (_u: uPlot, _axis: number, min: number, max: number) => decades(min, max) }
            : {}),
          ...(chart.whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] } : {}),
          ...(chart.unit === 'bytes' ? { incrs: byteSteps } : {}),
          values: (_u, values) =>
            values.map((value) => (value === null ? null : chart.short(value))),
        },
      ],
      series: [{}, ...chart.lines.map((line) => this.series(line))],
      hooks: {
        drawClear: [(u) => stack.drawGaps(u), (u) => this.drawMissed(u)],
        draw: [(u) => stack.drawMarks(u), (u) => this.drawNotes(u), (u) => stack.drawGapWords(u)],
        setCursor: [(u) => stack.pointAt(u.cursor.idx ?? null)],
        setSelect: [(u) => stack.select(u)],
      },
    };
  }

  private series(line: Line): uPlot.Series {
    const stepped = line.kind === 'step' || line.kind === 'area';
    return {
      label: line.label,
      stroke: () => colour(line.colour),
      width: line.kind === 'area' ? 1 : 1.5,
      ...(line.dash ? { dash: line.dash } : {}),
      ...(line.kind === 'area' ? { fill: () => colour(line.colour + '-fill') } : {}),
      ...(stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
      points: { show: false },
    };
  }

  private times(u: uPlot, times: number[]): (string | null)[] {
    const step = times.length > 1 ? times[1]! - times[0]! : 60_000;
    const midnight = (at: number) => clock(at, true) === '00:00:00';
    return times.map((at) => {
      if (u.valToPos(at, 'x') < 20) return null; // there the other axis has its lowest mark
      return step >= 86_400_000 || midnight(at) ? day(at) : clock(at, step < 60_000);
    });
  }

  /** The ground is tinted while the objective was missed. */
  private drawMissed(u: uPlot): void {
    if (!this.chart.share) return;
    const { ctx, bbox } = u;
    ctx.fillStyle = colour('late-fill');
    for (const sample of this.samples) {
      if (!this.chart.share.missed(sample)) continue;
      // On whole pixels: no seams between neighbours.
      const left = Math.max(bbox.left, Math.floor(u.valToPos(sample.unixMs, 'x', true)));
      const end = Math.ceil(u.valToPos(sample.unixMs + sample.spanMs, 'x', true));
      const width = Math.min(bbox.left + bbox.width, Math.max(end, left + 2)) - left;
      if (width > 0) ctx.fillRect(left, bbox.top, width, bbox.height);
    }
  }

  /** A tick on the upper edge where requests failed. */
  private drawNotes(u: uPlot): void {
    if (!this.chart.note) return;
    const { ctx, bbox } = u;
    ctx.fillStyle = colour('failed');
    for (const sample of this.samples) {
      if (!this.chart.note(sample)) continue;
      const x = u.valToPos(sample.unixMs, 'x', true);
      if (x >= bbox.left && x <= bbox.left + bbox.width)
        ctx.fillRect(x - 1, bbox.top, 2 * devicePixelRatio, 7 * devicePixelRatio);
    }
  }

  /** `view` tells one range from another: words of another are not left. */
  set(
    data: [number[], ...(number | null)[][]],
    samples: readonly Sample[],
    now: number,
    view: string,
  ): void {
    this.samples = samples;
    this.now = now;
    this.plot.setData(data as uPlot.AlignedData, true);
    if (view === this.view && Math.abs(now - this.said) <= sayEveryMs) return;
    this.view = view;
    this.said = now;
    setAttribute(this.place, 'aria-label', this.summary());
    // What somebody has marked to copy stays until then.
    const marked = getSelection();
    if (!marked?.isCollapsed && marked?.containsNode(this.table, true)) return;
    this.fillTable();
  }

  /** What is open stays so. */
  giveWayTo(other: Panel): void {
    this.plot.destroy();
    this.root.replaceWith(other.root);
    other.disclosure.open = this.disclosure.open;
  }

  private summary(): string {
    const { chart, samples } = this;
    const first = samples[0];
    const last = samples[samples.length - 1];
    if (!first || !last) return `${chart.title}: no samples in this time`;
    const lines = chart.lines.map((line) => {
      const values = samples.map(line.value).filter((value): value is number => value !== null);
      if (!values.length) return `${line.label}: unknown`;
      const [least, most] = values.reduce(
        ([a, b], value) => [Math.min(a, value), Math.max(b, value)],
        [Infinity, -Infinity],
      );
      return `${line.label}: ${chart.format(line.value(last))} at the end, between ${chart.format(least)} and ${chart.format(most)}`;
    });
    return `${chart.title}, ${moment(first.unixMs, this.now)} to ${moment(last.unixMs, this.now)}. ${lines.join('; ')}.`;
  }

  private fillTable(): void {
    if (!this.disclosure.open) {
      if (this.table.firstChild) this.table.replaceChildren();
      return;
    }
    const { chart } = this;
    const heads = [
      'Time',
      ...chart.lines.map((line) => line.label),
      ...(chart.share ? [chart.share.label] : []),
      ...(chart.note ? ['failed'] : []),
    ];
    const rows = thinned(this.samples, 60).reverse();
    this.table.replaceChildren(
      el(
        'table',
        {},
        el('caption', {
          class: 'unseen',
          text: `${chart.title} (${chart.unit}), ${plural(rows.length, 'row')}, newest first`,
        }),
        el(
          'thead',
          {},
          el('tr', {}, ...heads.map((head) => el('th', { scope: 'col', text: head }))),
        ),
        el(
          'tbody',
          {},
          ...rows.map((sample) =>
            el(
              'tr',
              {},
              el('th', { scope: 'row', text: moment(sample.unixMs, this.now) }),
              ...chart.lines.map((line) => el('td', { text: chart.format(line.value(sample)) })),
              chart.share ? el('td', { text: percent(chart.share.value(sample)) }) : null,
              chart.note ? el('td', { text: number(chart.note(sample)) }) : null,
            ),
          ),
        ),
      ),
    );
  }

  /** The numbers of one sample, and in words. */
  say(sample: Sample | undefined): string {
    const { chart } = this;
    const words = chart.lines.map((line, i) => {
      const value = chart.format(sample ? line.value(sample) : null);
      setText(this.numbers[i]!, value);
      return `${line.label} ${value}`;
    });
    if (this.share) {
      const value = percent(sample ? chart.share!.value(sample) : null);
      setText(this.share, value);
      words.push(`${chart.share!.label} ${value}`);
    }
    if (this.note) setText(this.note, number(sample ? chart.note!(sample) : null));
    return words.join(', ');
  }
}
