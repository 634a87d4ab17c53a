/** The charts: one time axis, one cursor, redrawn in place. */

import uPlot from 'uplot';
import type { Autoscaler, HappenedEvent, Span } from './api.js';
import { el, setAttribute, setText, show } from './dom.js';
import { columns, gapsOf, thinned, type Sample } from './series.js';
import { bytes, clock, day, latency, moment, niceStep, number, plural } from './words.js';

type Value = (sample: Sample) => number | null;

interface Line {
  label: string;
  colour: string; // --<colour> in app.css
  value: Value;
  kind?: 'line' | 'step' | 'area';
  dash?: number[];
}

interface Chart {
  title: string;
  unit: string;
  height: number;
  lines: Line[];
  format: (value: number | null | undefined) => string;
  whole?: boolean; // counts things
  logarithmic?: boolean;
  note?: Value; // a number that is only said, and marked where it is not zero
}

export interface Drawn {
  service: Autoscaler | null;
  samples: readonly Sample[];
  span: Span;
  now: number;
  live: boolean;
  lostSince: number | null; // the connection
  events: readonly HappenedEvent[]; // rescales, newest first
  chosen: { id: number; unixMs: number } | null; // decision
  loading: boolean; // samples may still come
}

const axisWidth = 54;
const rightPadding = 12;

export function chartsOf(service: Autoscaler | null, wide: boolean): Chart[] {
  const target = service?.target ?? null;
  const rate = target?.of === 'rate';
  const load: Line[] = [
    {
      label: rate ? 'requests/s' : 'in flight',
      colour: 'load',
      value: rate ? (sample) => sample.rate : (sample) => sample.concurrency,
    },
  ];
  if (target) {
    load.unshift({
      label: 'capacity',
      colour: 'capacity',
      kind: 'area',
      value: (sample) => (sample.ready === null ? null : sample.ready * target.value),
    });
  }
  if (!rate) load.push({ label: 'waiting', colour: 'waiting', value: (sample) => sample.waiting, kind: 'step' });
  return [
    {
      title: rate ? 'Load: requests per second' : 'Load: requests in flight',
      unit: rate ? 'requests per second' : 'requests',
      height: 150,
      lines: load,
      format: number,
    },
    {
      title: 'Replicas',
      unit: 'replicas',
      height: 104,
      whole: true,
      lines: [
        { label: 'ready', colour: 'ready', kind: 'area', value: (sample) => sample.ready },
        { label: 'wanted', colour: 'wanted', kind: 'step', dash: [5, 3], value: (sample) => sample.wanted },
      ],
      format: number,
    },
    {
      title: 'Latency',
      unit: 'milliseconds',
      height: 120,
      logarithmic: wide,
      lines: [
        { label: 'p50', colour: 'p50', value: (sample) => sample.p50Ms },
        { label: 'p95', colour: 'p95', value: (sample) => sample.p95Ms, dash: [6, 3] },
        { label: 'p99', colour: 'p99', value: (sample) => sample.p99Ms },
      ],
      format: latency,
      note: (sample) => sample.failed,
    },
    {
      title: 'CPU of all replicas',
      unit: 'cores',
      height: 84,
      lines: [{ label: 'cores', colour: 'cpu', value: (sample) => sample.cpu }],
      format: number,
    },
    {
      title: 'Memory of all replicas',
      unit: 'bytes',
      height: 84,
      lines: [{ label: 'memory', colour: 'memory', value: (sample) => sample.memory }],
      format: bytes,
    },
  ];
}

const paint = new Map<string, string>();
const brush = el('span', { hidden: true });

/** A colour of app.css as the canvas wants it; read once a theme. */
function colour(name: string): string {
  let value = paint.get(name);
  if (value === undefined) {
    brush.style.color = `var(--${name})`;
    if (!brush.isConnected) document.body.append(brush);
    value = getComputedStyle(brush).color;
    paint.set(name, value);
  }
  return value;
}

/** Latencies over two decades or more are told apart on a logarithmic scale only. */
function wideRange(samples: readonly Sample[], was: boolean): boolean {
  let [least, most] = [Infinity, 0];
  for (const { p50Ms, p99Ms } of samples) {
    if (p50Ms !== null && p50Ms > 0) least = Math.min(least, p50Ms);
    if (p99Ms !== null) most = Math.max(most, p99Ms);
  }
  return most / least > (was ? 30 : 60);
}

/** The marks of a logarithmic scale: 1, 10, 100; with 2 and 5 where these are few. */
function decades(min: number, max: number): number[] {
  const marks: number[] = [];
  const between = max / min < 150 ? [1, 2, 5] : [1];
  for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); ++power) {
    for (const factor of between) {
      const value = factor * 10 ** power;
      if (value >= min && value <= max) marks.push(value);
    }
  }
  return marks;
}

/** The times that get a mark, at round local times. */
function splits(min: number, max: number, most: number): number[] {
  const step = niceStep(max - min, most);
  const zone = -new Date(max).getTimezoneOffset() * 60_000;
  const times: number[] = [];
  for (let at = Math.ceil((min + zone) / step) * step - zone; at <= max; at += step) times.push(at);
  return times;
}

class Panel {
  readonly root: HTMLElement;
  readonly plot: uPlot;
  private readonly place = el('div', { class: 'plot', role: 'img' });
  private readonly numbers: HTMLElement[];
  private readonly note: HTMLElement | null;
  private readonly table = el('div', { class: 'scroll', tabindex: '0', role: 'region' });
  private readonly disclosure: HTMLDetailsElement;
  private samples: readonly Sample[] = [];
  private said = 0;

  constructor(
    readonly chart: Chart,
    last: boolean,
    private readonly stack: Stack,
  ) {
    this.numbers = chart.lines.map(() => el('b'));
    this.note = chart.note ? el('b') : null;
    const legend = el(
      'ul',
      { class: 'legend' },
      ...chart.lines.map((line, i) =>
        el('li', {}, el('i', { class: `swatch of-${line.colour} ${line.kind ?? 'line'}${line.dash ? ' dashed' : ''}` }), line.label + ' ', this.numbers[i]!),
      ),
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
    this.root = el(
      'figure',
      { class: 'chart', 'aria-label': chart.title },
      el('header', {}, el('h3', { text: chart.title }), legend),
      this.place,
      this.disclosure,
    );
    this.plot = new uPlot(this.options(last), [[], ...chart.lines.map(() => [])] as uPlot.AlignedData, this.place);
  }

  private options(last: boolean): uPlot.Options {
    const { chart, stack } = this;
    return {
      width: 600,
      height: chart.height + (last ? 22 : 0),
      ms: 1,
      padding: [6, rightPadding, last ? 0 : 6, 0],
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
          ? { distr: 3, range: (_u, min, max) => (min > 0 && max > 0 ? uPlot.rangeLog(min, max, 10, false) : [0.1, 100]) }
          : { range: (_u, _min, max) => [0, chart.whole ? Math.max(2, (max ?? 0) + 0.5) : (max || 1) * 1.12] },
      },
      axes: [
        {
          size: last ? 22 : 0,
          gap: 4,
          font: '11px system-ui, sans-serif',
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          splits: (u) => splits(stack.min, stack.max, u.width / 78),
          values: (_u, times) => (last ? this.times(times) : times.map(() => null)),
        },
        {
          size: axisWidth,
          gap: 4,
          font: '11px system-ui, sans-serif',
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          space: 24,
          ...(chart.logarithmic ? { splits: (_u: uPlot, _axis: number, min: number, max: number) => decades(min, max) } : {}),
          ...(chart.whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] } : {}),
          ...(chart.unit === 'bytes' ? { incrs: byteSteps } : {}),
          values: (_u, values) => values.map((value) => (value === null ? null : chart.format(value))),
        },
      ],
      series: [{}, ...chart.lines.map((line) => this.series(line))],
      hooks: {
        drawClear: [(u) => stack.drawGaps(u)],
        draw: [(u) => stack.drawMarks(u), (u) => this.drawNotes(u)],
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

  private times(times: number[]): string[] {
    const step = times.length > 1 ? times[1]! - times[0]! : 60_000;
    const midnight = (at: number) => clock(at, true) === '00:00:00';
    return times.map((at) => (step >= 86_400_000 || midnight(at) ? day(at) : clock(at, step < 60_000)));
  }

  /** A tick on the upper edge where requests failed. */
  private drawNotes(u: uPlot): void {
    if (!this.chart.note) return;
    const { ctx, bbox } = u;
    ctx.fillStyle = colour('failed');
    for (const sample of this.samples) {
      if (!this.chart.note(sample)) continue;
      const x = u.valToPos(sample.unixMs, 'x', true);
      if (x >= bbox.left && x <= bbox.left + bbox.width) ctx.fillRect(x - 1, bbox.top, 2 * devicePixelRatio, 7 * devicePixelRatio);
    }
  }

  set(data: [number[], ...(number | null)[][]], samples: readonly Sample[], now: number): void {
    this.samples = samples;
    this.plot.setData(data as uPlot.AlignedData, true);
    if (Math.abs(now - this.said) > 5000) {
      this.said = now;
      setAttribute(this.place, 'aria-label', this.summary());
    }
  }

  private summary(): string {
    const { chart, samples } = this;
    const first = samples[0];
    const last = samples[samples.length - 1];
    if (!first || !last) return `${chart.title}: no samples in this time`;
    const lines = chart.lines.map((line) => {
      const values = samples.map(line.value).filter((value): value is number => value !== null);
      if (!values.length) return `${line.label}: unknown`;
      const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
      return `${line.label}: ${chart.format(line.value(last))} at the end, between ${chart.format(least)} and ${chart.format(most)}`;
    });
    return `${chart.title}, ${moment(first.unixMs, this.said)} to ${moment(last.unixMs, this.said)}. ${lines.join('; ')}.`;
  }

  private fillTable(): void {
    if (!this.disclosure.open) {
      this.table.replaceChildren();
      return;
    }
    const { chart } = this;
    const heads = ['Time', ...chart.lines.map((line) => line.label), ...(chart.note ? ['failed'] : [])];
    const rows = thinned(this.samples, 60).reverse();
    this.table.replaceChildren(
      el(
        'table',
        {},
        el('caption', { class: 'unseen', text: `${chart.title} (${chart.unit}), ${plural(rows.length, 'row')}, newest first` }),
        el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col', text: head })))),
        el(
          'tbody',
          {},
          ...rows.map((sample) =>
            el(
              'tr',
              {},
              el('th', { scope: 'row', text: moment(sample.unixMs, this.said) }),
              ...chart.lines.map((line) => el('td', { text: chart.format(line.value(sample)) })),
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
    if (this.note) setText(this.note, number(sample ? chart.note!(sample) : null));
    return words.join(', ');
  }
}

const byteSteps = Array.from({ length: 22 }, (_, i) => 2 ** (i + 16));

export class Stack {
  readonly root: HTMLElement;
  min = 0;
  max = 1;
  private panels: Panel[] = [];
  private key = '';
  private wide = false;
  private data: Drawn | null = null;
  private times: number[] = [];
  private atSample: Sample[] = []; // what each drawn point stands for
  private gaps: [number, number][] = [];
  private pointed: number | null = null;
  private width = 0;
  private readonly place = el('div', { class: 'plots' });
  private readonly when = el('output', { class: 'when' });
  private readonly empty = el('p', { class: 'nothing', text: 'No samples in this time.' });
  private readonly without = el('p', { class: 'without' });
  private readonly slider = el('input', {
    type: 'range',
    class: 'cursor',
    min: '0',
    step: '1',
    'aria-label': 'Time cursor over all charts',
  });

  constructor(
    marks: HTMLElement,
    private readonly zoom: (span: Span) => void,
  ) {
    this.root = el('div', { class: 'stack' }, this.empty, marks, this.place, this.slider, el('div', { class: 'below' }, this.without, this.when));
    this.slider.addEventListener('input', () => this.pointTo(Number(this.slider.value)));
    this.slider.addEventListener('blur', () => this.pointTo(null));
    new ResizeObserver(() => this.resize()).observe(this.place);
    this.place.addEventListener('mouseleave', () => this.pointAt(null));
  }

  /** Colours are read anew. */
  repaint(): void {
    paint.clear();
    for (const panel of this.panels) panel.plot.redraw(false);
  }

  set(drawn: Drawn): void {
    this.data = drawn;
    this.min = drawn.span.since;
    this.max = drawn.span.until;
    this.wide = wideRange(drawn.samples, this.wide);
    this.build();
    const samples = drawn.samples.filter((sample) => sample.unixMs + sample.spanMs >= this.min && sample.unixMs <= this.max);
    this.gaps = drawn.loading ? [] : gapsOf(samples, this.min, this.max);
    show(this.empty, samples.length === 0 && !drawn.loading);
    const between = this.gaps.filter(([from]) => samples[0] && from > samples[0].unixMs).slice(-3);
    const spans = between.map(([from, to]) => `${moment(from, drawn.now)} to ${to === this.max ? 'now' : moment(to, drawn.now)}`);
    setText(this.without, samples.length && spans.length ? `No data from ${spans.join(', ')}.` : '');
    for (const panel of this.panels) {
      const data = columns(samples, panel.chart.lines.map((line) => line.value));
      this.times = data[0];
      panel.set(data, samples, drawn.now);
    }
    this.atSample = this.times.map((time) => samples[lastBefore(samples, time)]!);
    this.slider.max = String(Math.max(0, this.times.length - 1));
    this.slider.disabled = samples.length === 0;
    this.say();
  }

  /** Another service or scale is other charts. */
  private build(): void {
    const service = this.data!.service;
    const key = JSON.stringify([service?.name, service?.target, this.wide]);
    if (key === this.key) return;
    this.key = key;
    for (const panel of this.panels) panel.plot.destroy();
    const charts = chartsOf(service, this.wide);
    this.panels = charts.map((chart, i) => new Panel(chart, i === charts.length - 1, this));
    this.place.replaceChildren(...this.panels.map((panel) => panel.root));
    this.width = 0;
    this.resize();
  }

  private resize(): void {
    const width = this.place.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    for (const { plot, chart } of this.panels) {
      const last = plot === this.panels[this.panels.length - 1]!.plot;
      plot.setSize({ width, height: chart.height + (last ? 22 : 0) });
    }
  }

  /** Where a time is, in pixels from the left of `place`; null: not in view. */
  position(unixMs: number): number | null {
    const share = (unixMs - this.min) / (this.max - this.min);
    if (share < 0 || share > 1) return null;
    return axisWidth + share * Math.max(0, this.width - axisWidth - rightPadding);
  }

  // Of all charts: uPlot's shared cursor calls this from each.
  pointAt(index: number | null): void {
    if (index === this.pointed) return;
    this.pointed = index;
    this.say();
  }

  private pointTo(index: number | null): void {
    const plot = this.panels[0]?.plot;
    const time = index === null ? undefined : this.times[index];
    if (!plot) return;
    if (time === undefined) plot.setCursor({ left: -10, top: -10 });
    else plot.setCursor({ left: plot.valToPos(time, 'x'), top: 10 });
    this.pointed = index;
    this.say();
  }

  private say(): void {
    const last = this.atSample[this.atSample.length - 1];
    const sample = this.pointed === null ? last : this.atSample[this.pointed];
    const words = this.panels.map((panel) => panel.say(sample));
    const at = sample ? moment(sample.unixMs, this.data!.now) : '';
    setText(this.when, this.pointed !== null ? at : this.data?.live ? 'now' : sample ? `at ${at}` : '');
    if (this.pointed === null) this.slider.value = this.slider.max;
    setAttribute(this.slider, 'aria-valuetext', sample ? `${at}: ${words.join(', ')}` : 'no samples');
  }

  select(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 8) return;
    const span = { since: u.posToVal(left, 'x'), until: u.posToVal(left + width, 'x') };
    for (const { plot } of this.panels) plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (span.until - span.since >= 2000) this.zoom(span);
  }

  /** Times of which nothing is known. */
  drawGaps(u: uPlot): void {
    const gaps = this.gaps.map((gap): [number, number, string] => [...gap, 'no data']);
    const lost = this.data?.lostSince;
    if (lost && this.data!.live) gaps.push([Math.max(lost, this.min), this.max, 'not connected']);
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const [from, to, words] of gaps) {
      const left = Math.max(bbox.left, u.valToPos(from, 'x', true));
      const right = Math.min(bbox.left + bbox.width, u.valToPos(to, 'x', true));
      if (right <= left) continue;
      ctx.fillStyle = colour('gap');
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      if (right - left < ctx.measureText(words).width + 8 || u !== this.panels[0]?.plot) continue;
      ctx.fillStyle = colour('muted');
      ctx.fillText(words, (left + right) / 2, bbox.top + bbox.height / 2);
    }
    ctx.restore();
  }

  drawMarks(u: uPlot): void {
    const { ctx, bbox } = u;
    const line = (unixMs: number, paintWith: string, width: number, dash: number[]) => {
      if (unixMs < this.min || unixMs > this.max) return;
      const x = Math.round(u.valToPos(unixMs, 'x', true));
      ctx.strokeStyle = paintWith;
      ctx.lineWidth = width * devicePixelRatio;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    };
    ctx.save();
    // So many lines would hide what they mark.
    const events = this.data?.events ?? [];
    if (events.length <= 60) for (const event of events) line(event.unixMs, colour('mark'), 1, [2, 3]);
    const chosen = this.data?.chosen;
    if (chosen) line(chosen.unixMs, colour('accent'), 1.5, []);
    ctx.restore();
  }
}

/** The last sample that began before or at `time`. */
function lastBefore(samples: readonly Sample[], time: number): number {
  let [low, high] = [0, samples.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (samples[middle]!.unixMs <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
