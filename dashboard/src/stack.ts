/** The charts above each other: one time axis, one cursor, redrawn in place. */

import type uPlot from 'uplot';
import type { Autoscaler, HappenedEvent, Span } from './api.js';
import { axisWidth, colour, repaint, rightPadding } from './axes.js';
import { chartsOf, wideRange } from './charts.js';
import { el, setAttribute, setText, show } from './dom.js';
import type { Axis } from './marks.js';
import { Panel } from './panel.js';
import { columns, gapsOf, type Sample } from './series.js';
import type { View } from './view.js';
import { clock, moment } from './words.js';

export interface Drawn {
  service: Autoscaler | null;
  samples: readonly Sample[];
  span: Span;
  now: number;
  range: View['range'];
  live: boolean; // it goes on
  lostSince: number | null; // the connection
  events: readonly HappenedEvent[]; // rescales, newest first
  chosen: { id: number; unixMs: number } | null; // decision
  loading: boolean; // samples may still come
}

const sayEveryMs = 5000;

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
  private pointed: number | null = null; // time
  private held = false; // by the slider: it stays at its time
  private saidAt = 0;
  private view = '';
  private width = 0;
  private readonly place = el('div', { class: 'plots' });
  // Not an <output>: that would be read out at each move.
  private readonly when = el('span', { class: 'when' });
  private readonly whenAbove = el('span', { class: 'when' }); // beside the first legend
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
    this.slider.addEventListener('input', () => this.hold(Number(this.slider.value)));
    this.slider.addEventListener('blur', () => this.letGo());
    this.place.addEventListener('mousemove', () => (this.held = false), { capture: true });
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
    const view = JSON.stringify([drawn.range, drawn.loading]);
    if (view !== this.view) this.saidAt = 0;
    this.view = view;
    this.gaps = drawn.loading ? [] : gapsOf(samples, this.min, this.max);
    // The newest step of history is under way: the present comes with the next status.
    if (drawn.live && drawn.service && drawn.lostSince === null)
      this.gaps = this.gaps.filter(([, to]) => to !== this.max);
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
      panel.set(data, samples, drawn.now, view);
    }
    this.atSample = this.times.map((time) => samples[lastBefore(samples, time)]!);
    this.slider.max = String(Math.max(0, this.times.length - 1));
    this.slider.disabled = samples.length === 0;
    if (this.held) this.placeCursor();
    this.say();
  }

  /** Another service is other charts; another scale is another chart in its place. */
  private build(): void {
    const service = this.data!.service;
    const key = JSON.stringify([service?.name, service?.target, service?.objective?.percentile]);
    if (key !== this.key) {
      for (const panel of this.panels) panel.plot.destroy();
      this.panels = [];
      this.place.replaceChildren();
      this.key = key;
    }
    const charts = chartsOf(service, this.wide);
    charts.forEach((chart, i) => {
      const old = this.panels[i];
      if (old && old.chart.logarithmic === chart.logarithmic) return;
      const panel = new Panel(chart, i === 0 || i === charts.length - 1, this);
      this.panels[i] = panel;
      if (i === 0) panel.header.append(this.whenAbove);
      if (old) old.giveWayTo(panel);
      else this.place.append(panel.root);
      this.width = 0;
    });
    this.resize();
  }

  private resize(): void {
    const width = this.place.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    for (const { plot, height } of this.panels) plot.setSize({ width, height });
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
    const time = index === null ? null : (this.times[index] ?? null);
    if (this.held || time === this.pointed) return;
    this.pointed = time;
    this.say();
  }

  /** By the slider. The time is kept, not its place: what is read does not slip away. */
  private hold(index: number): void {
    this.held = true;
    this.pointed = this.times[index] ?? null;
    this.placeCursor();
    this.say();
  }

  private letGo(): void {
    if (!this.held) return;
    this.panels[0]?.plot.setCursor({ left: -10, top: -10 });
    this.held = false;
    this.pointed = null;
    this.say();
  }

  private placeCursor(): void {
    const [first, last] = [this.times[0], this.times[this.times.length - 1]];
    if (this.pointed === null || first === undefined) return this.letGo();
    this.pointed = Math.max(first, Math.min(last!, this.pointed));
    const left = this.axis().position(this.pointed) - axisWidth;
    this.panels[0]?.plot.setCursor({ left, top: 10 });
  }

  private say(): void {
    const { pointed, times } = this;
    const index = pointed === null ? times.length - 1 : indexBefore(times, pointed);
    const sample = this.atSample[index];
    const words = this.panels.map((panel) => panel.say(sample));
    const now = this.data!.now;
    const at = sample ? moment(sample.unixMs, now) : '';
    const rest = pointed === null && this.data!.live;
    setText(this.when, rest ? 'now' : pointed === null && at ? `at ${at}` : at);
    // As long whatever it is of: nothing moves under the pointer.
    setText(this.whenAbove, rest ? 'now' : sample ? clock(sample.unixMs) : '');
    if (!this.held) this.slider.value = this.slider.max;
    else if (this.slider.value !== String(index)) this.slider.value = String(index);
    // Nobody can listen to each second's.
    if (pointed === null && Math.abs(now - this.saidAt) < sayEveryMs) return;
    this.saidAt = pointed === null ? now : 0;
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

  /** Times of which nothing is known, in pixels of the canvas. */
  private gapsIn(u: uPlot): { left: number; right: number; words: string }[] {
    const gaps = this.gaps.map((gap): [number, number, string] => [...gap, 'no data']);
    const lost = this.data?.lostSince;
    if (lost && this.data!.live) gaps.push([Math.max(lost, this.min), this.max, 'not connected']);
    const { left, width } = u.bbox;
    return gaps
      .map(([from, to, words]) => ({
        left: Math.max(left, u.valToPos(from, 'x', true)),
        right: Math.min(left + width, u.valToPos(to, 'x', true)),
        words,
      }))
      .filter((gap) => gap.right > gap.left);
  }

  /** Hatched: a shade alone is hard to see, and is nothing in forced colours. */
  drawGaps(u: uPlot): void {
    const { ctx } = u;
    const { top, height } = u.bbox;
    const apart = 7 * devicePixelRatio;
    for (const { left, right } of this.gapsIn(u)) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, right - left, height);
      ctx.clip();
      ctx.fillStyle = colour('gap');
      ctx.fillRect(left, top, right - left, height);
      ctx.strokeStyle = colour('hatch');
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      // From the canvas' edge: they stand still while the gap's begin moves.
      for (let x = Math.floor((left - height) / apart) * apart; x < right; x += apart) {
        ctx.moveTo(x, top + height);
        ctx.lineTo(x + height, top);
      }
      ctx.stroke();
      ctx.restore();
    }
  }

  /** Over all else, so that nothing strikes them through. */
  drawGapWords(u: uPlot): void {
    if (u !== this.panels[0]?.plot) return;
    const { ctx } = u;
    const y = u.bbox.top + u.bbox.height / 2;
    const high = 18 * devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const { left, right, words } of this.gapsIn(u)) {
      const wide = ctx.measureText(words).width + 12 * devicePixelRatio;
      if (right - left < wide) continue;
      const x = (left + right) / 2;
      ctx.fillStyle = colour('surface');
      ctx.fillRect(x - wide / 2, y - high / 2, wide, high);
      ctx.fillStyle = colour('muted');
      ctx.fillText(words, x, y);
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
const lastBefore = (samples: readonly Sample[], time: number) =>
  lastOf(samples.length, (i) => samples[i]!.unixMs <= time);

const indexBefore = (times: readonly number[], time: number) =>
  lastOf(times.length, (i) => times[i]! <= time);

/** The last index for which it is true: it is so up to there. */
function lastOf(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
