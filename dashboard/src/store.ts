/** All that the page knows. Whoever changes it calls changed(); drawing happens once a frame. */

import * as api from './api.js';
import type { Autoscaler, Decision, HappenedEvent, Span, Status } from './api.js';
import { unconnected, type Connection } from './live.js';
import { Series, sampleOf } from './series.js';
import { format, goesOn, lengthOf, parse, spanOf, type View } from './view.js';

const sparkMs = 15 * 60_000;
const sparkBucketMs = 15_000;
const sparkAgainMs = 10_000; // after a failure
const mostPoints = 900; // of live samples in a chart
const eventsAtOnce = 1000;
const mostEvents = 4000;
const keptDecisions = 50;

/** What happened to one service, newest first. */
class Happened {
  list: HappenedEvent[] = [];
  more = false; // there are earlier ones

  add(events: readonly HappenedEvent[], since: number): void {
    const byId = new Map([...this.list, ...events].map((event) => [event.id, event]));
    this.list = [...byId.values()]
      .filter((event) => event.unixMs >= since)
      .sort((a, b) => b.id - a.id)
      .slice(0, mostEvents);
  }
}

export class Store {
  services = new Map<string, Autoscaler>();
  version = '';
  refused = ''; // why the document is not what runs
  heard = false; // a status came
  private shownUnixMs = 0; // when the newest was made
  private joined = false; // to the stream, at least once
  connection: Connection = unconnected();
  view: View = parse(location.hash);
  series = new Series(1000);
  events = new Happened(); // of the service and range in view
  problem: string | null = null; // why history or events could not be read
  loading = false;
  readonly sparks = new Map<string, Series>();

  private readonly decisions = new Map<number, Decision | string>(); // or why there is none
  private coming = this.series; // what is being loaded; live samples go there, too
  private comingEvents = this.events; // and live events
  private offset = 0; // the server's clock less ours
  private generation = 0;
  private sparkQueue: string[] = [];
  private sparksAsked = new Set<string>();
  private sparksRunning = 0;
  private sparkRound = 0; // what was asked for in an earlier one is out of date
  private frame = 0;

  constructor(private readonly draw: () => void) {
    addEventListener('hashchange', () => this.follow(parse(location.hash)));
  }

  changed(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  now = () => Date.now() + this.offset;
  behindMs = () => (this.heard ? this.now() - this.shownUnixMs : 0);
  span = (): Span => spanOf(this.view.range, this.now());
  live = () => goesOn(this.view.range, this.now());
  chosen = (): Autoscaler | null =>
    this.view.name === null ? null : (this.services.get(this.view.name) ?? null);

  /** Changes what is looked at; the address follows. */
  go(change: Partial<View>, replace = false): void {
    const view = { ...this.view, ...change };
    const hash = format(view);
    if (replace) history.replaceState(null, '', hash);
    else if (hash !== location.hash) history.pushState(null, '', hash);
    this.follow(view);
  }

  private follow(view: View): void {
    const before = this.view;
    this.view = view;
    if (view.name !== before.name || JSON.stringify(view.range) !== JSON.stringify(before.range))
      this.refresh(true);
    if (view.decision !== null) void this.ask(view.decision);
    this.changed();
  }

  take(status: Status, behindMs: number): void {
    this.offset = status.nowUnixMs + behindMs - Date.now();
    this.shownUnixMs = status.nowUnixMs;
    this.heard = true;
    // Another Headroom brings another page.
    if (this.version && this.version !== status.version) location.reload();
    this.version = status.version;
    this.refused = status.documentRefused ?? '';
    // What was counted while the connection was lost is history's, and not of the last second.
    const before = this.connection.state === 'live' ? this.services : new Map<string, Autoscaler>();
    this.services = new Map(status.autoscalers.map((service) => [service.name, service]));
    for (const service of status.autoscalers) {
      const last = before.get(service.name);
      const joined = last !== undefined;
      const sample = sampleOf(service, status.nowUnixMs, last);
      this.spark(service.name).add(sample, joined);
      this.spark(service.name).trim(status.nowUnixMs - sparkMs);
      if (service.name === this.view.name && this.live()) {
        for (const series of new Set([this.series, this.coming])) {
          series.add(sample, joined);
          series.trim(this.span().since);
        }
      }
    }
    for (const name of this.sparks.keys()) {
      if (this.services.has(name)) continue;
      this.sparks.delete(name);
      this.sparksAsked.delete(name); // it may come back
    }
    this.changed();
  }

  happened(event: HappenedEvent): void {
    if (event.autoscaler !== this.view.name || !this.live()) return;
    for (const events of new Set([this.events, this.comingEvents]))
      events.add([event], this.span().since);
    this.changed();
  }

  connected(connection: Connection): void {
    const back = connection.state === 'live' && this.connection.state !== 'live';
    this.connection = connection;
    if (back) {
      this.refresh(false, !this.joined); // what was missed meanwhile
      ++this.sparkRound;
      this.sparksAsked.clear();
      this.sparkQueue = [];
      this.joined = true;
    }
    this.changed();
  }

  /**
   * Loads history and events of what is in view. Unless it is looked at anew, what is shown stays
   * until then, and is forgotten: Headroom may be back with another journal, in which an id is
   * another event's. `joined`: the connection was not lost before the live samples that there are.
   */
  private refresh(anew: boolean, joined = anew): void {
    const generation = ++this.generation;
    const { name, range, decision } = this.view;
    const span = this.span();
    // A sample for a pixel or two: a range of any length has a bounded number of them.
    const series = new Series(
      Math.max(1000, Math.ceil(lengthOf(range) / mostPoints / 1000) * 1000),
    );
    const events = new Happened();
    this.coming = series;
    this.comingEvents = events;
    if (anew) {
      this.series = series;
      this.events = events;
    } else {
      for (const id of this.decisions.keys()) if (id !== decision) this.decisions.delete(id);
    }
    this.problem = null;
    if (decision !== null) void this.ask(decision, !anew);
    if (name === null) return;
    this.loading = true;
    const current = () => generation === this.generation;
    void Promise.allSettled([
      this.loadHistory(name, series, joined, current),
      this.loadEvents(name, events, this.live() ? undefined : span.until, current),
    ]).then((results) => {
      if (!current()) return;
      this.loading = false;
      const failed = results.find((result) => result.status === 'rejected');
      this.problem = failed
        ? String((failed as PromiseRejectedResult).reason?.message ?? 'failed')
        : null;
      this.changed();
    });
  }

  /** And once more when the steps that are under way now have been written. */
  private async loadHistory(
    name: string,
    series: Series,
    joined: boolean,
    current: () => boolean,
  ): Promise<void> {
    const loaded = await api.history(name, this.span());
    if (!current()) return;
    series.load(loaded, joined);
    this.series = series;
    if (!this.live()) return;
    setTimeout(
      () => {
        const again = async () => {
          const loaded = await api.history(name, this.span());
          if (current()) series.load(loaded, joined);
        };
        if (current()) again().catch(() => undefined); // what is shown stays
      },
      2 * loaded.stepMs + 3000,
    );
  }

  /** The newest first, as many as are kept. */
  private async loadEvents(
    autoscaler: string,
    events: Happened,
    until: number | undefined,
    current: () => boolean,
  ): Promise<void> {
    const { since } = this.span();
    for (;;) {
      const page = await api.events({ autoscaler, since, until, limit: eventsAtOnce });
      if (!current()) return;
      const before = events.list.length;
      events.add(page, since);
      events.more = page.length >= eventsAtOnce;
      this.events = events;
      this.changed();
      const { length } = events.list;
      if (!events.more || length >= mostEvents || length === before) return;
      until = page[page.length - 1]!.unixMs;
    }
  }

  /** The decision in view: one, "…" while it is asked for, or why there is none. */
  decision(): Decision | string | null {
    if (this.view.decision === null) return this.chosen()?.decision ?? null;
    const decision = this.decisions.get(this.view.decision) ?? '…';
    return typeof decision === 'object' && decision.autoscaler !== this.view.name
      ? `Decision ${this.view.decision} is one of another service.`
      : decision;
  }

  private async ask(id: number, again = false): Promise<void> {
    const known = typeof this.decisions.get(id) === 'object';
    if (known && !again) return;
    try {
      this.decisions.set(id, await api.decision(id));
    } catch (error) {
      // Where nothing was answered, what is shown stays.
      if (!known || (error as api.ApiError).status)
        this.decisions.set(id, `Decision ${id}: ${(error as Error).message}`);
    }
    for (const old of this.decisions.keys()) {
      if (this.decisions.size > keptDecisions && old !== id) this.decisions.delete(old);
    }
    this.changed();
  }

  spark(name: string): Series {
    let series = this.sparks.get(name);
    if (!series) this.sparks.set(name, (series = new Series(sparkBucketMs)));
    return series;
  }

  /** Loads a sparkline's past, once it is seen; a few at a time. */
  wantSpark(name: string): void {
    if (this.sparksAsked.has(name)) return;
    this.sparksAsked.add(name);
    this.sparkQueue.push(name);
    this.nextSpark();
  }

  private nextSpark(): void {
    while (this.sparksRunning < 3) {
      const name = this.sparkQueue.shift();
      if (name === undefined) return;
      ++this.sparksRunning;
      const [now, round] = [this.now(), this.sparkRound];
      api
        .history(name, { since: now - sparkMs, until: now })
        .then((history) => {
          if (round !== this.sparkRound) return;
          const series = new Series(sparkBucketMs);
          series.load(history, true);
          this.sparks.set(name, series);
        })
        .catch(() => setTimeout(() => this.sparksAsked.delete(name), sparkAgainMs))
        .finally(() => {
          --this.sparksRunning;
          this.nextSpark();
          this.changed();
        });
    }
  }
}
