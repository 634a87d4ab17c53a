/** The charts above each other: one time axis, one cursor, redrawn in place. */

import type uPlot from 'uplot';
import type { Autoscaler, HappenedEvent, Span } from './api.js';
import { axisWidth, colour, repaint, rightPadding } from './axes.js';
import { chartsOf, wideRange } from './charts.js';
import { el, setAttribute, setText, show } from './dom.js';
import type { Axis } from './marks.js';
import { Panel } from './panel.js';
import { columns, gapsOf, type Sample } from './series.js';
import { moment } from './words.js';

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
    this.root = el(
      'div',
      { class: 'stack' },
      this.empty,
      marks,
      this.place,
      this.slider,
      el('div', { class: 'below' }, this.without, this.when),
    );
    this.slider.addEventListener('input', () => this.pointTo(Number(this.slider.value)));
    this.slider.addEventListener('blur', () => this.pointTo(null));
    new ResizeObserver(() => this.resize()).observe(this.place);
    this.place.addEventListener('mouseleave', () => this.pointAt(null));
  }

  /** Colours are read anew. */
  repaint(): void {
    repaint();
    for (const panel of this.panels) panel.plot.redraw(false);
  }

  set(drawn: Drawn): void {
    this.data = drawn;
    this.min = drawn.span.since;
    this.max = drawn.span.until;
    this.wide = wideRange(drawn.samples, this.wide);
    this.build();
    const samples = drawn.samples.filter(
      (sample) => sample.unixMs + sample.spanMs >= this.min && sample.unixMs <= this.max,
    );
    this.gaps = drawn.loading ? [] : gapsOf(samples, this.min, this.max);
    show(this.empty, samples.length === 0 && !drawn.loading);
    const between = this.gaps.filter(([from]) => samples[0] && from > samples[0].unixMs).slice(-3);
    const spans = between.map(
      ([from, to]) =>
        `${moment(from, drawn.now)} to ${to === this.max && drawn.live ? 'now' : moment(to, drawn.now)}`,
    );
    setText(
      this.without,
      samples.length && spans.length ? `No data from ${spans.join(', ')}.` : '',
    );
    for (const panel of this.panels) {
      const data = columns(
        samples,
        panel.chart.lines.map((line) => line.value),
      );
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
    const key = JSON.stringify([
      service?.name,
      service?.target,
      service?.objective?.percentile,
      this.wide,
    ]);
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

  /** Where times are, in pixels from the left of `place`. */
  axis(): Axis {
    const [since, until] = [this.min, this.max];
    const width = Math.max(0, this.width - axisWidth - rightPadding);
    return {
      span: { since, until },
      width,
      position: (unixMs) => axisWidth + ((unixMs - since) / (until - since)) * width,
    };
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
    setText(
      this.when,
      this.pointed !== null ? at : this.data?.live ? 'now' : sample ? `at ${at}` : '',
    );
    if (this.pointed === null) this.slider.value = this.slider.max;
    setAttribute(
      this.slider,
      'aria-valuetext',
      sample ? `${at}: ${words.join(', ')}` : 'no samples',
    );
  }

  select(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 8) return;
    const span = { since: u.posToVal(left, 'x'), until: u.posToVal(left + width, 'x') };
    for (const { plot } of this.panels)
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
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
    if (events.length * 20 <= u.width)
      for (const event of events) line(event.unixMs, colour('mark'), 1, [2, 3]);
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
