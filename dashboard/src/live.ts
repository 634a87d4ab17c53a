/** The stream: one connection that is made again when it is lost, be it cut or silent. */

import { ApiError, follow, type HappenedEvent, type Status } from './api.js';
import { Lag } from './lag.js';
import { token } from './token.js';

export interface Connection {
  state: 'connecting' | 'live' | 'lost';
  since: number; // by this machine's clock: this state; lost: what is shown is of then
  retryAt: number | null;
  refused: string | null; // what Headroom says against it, where it answers
  token: 'wanted' | 'wrong' | null; // it says that it wants one, or another
}

interface Handlers {
  status(status: Status, behindMs: number): void;
  event(event: HappenedEvent): void;
  connection(connection: Connection): void;
}

// Something comes every second; a cut network says nothing at all.
const silenceMs = 6000;
const longestPauseMs = 10_000;

export const unconnected = (): Connection => ({
  state: 'connecting',
  since: Date.now(),
  retryAt: null,
  refused: null,
  token: null,
});

export class Live {
  private stream: AbortController | null = null;
  private heard = 0;
  private shown = 0; // when the newest status was made, by this machine's clock
  private pause = 1000;
  private retry: number | undefined;
  private newest: string | null = null; // event that was told, or from which on: the next stream goes on after it
  connection = unconnected();

  constructor(private readonly handlers: Handlers) {
    setInterval(() => {
      if (this.stream && Date.now() - this.heard > silenceMs) this.lose(null);
    }, 1000);
    addEventListener('online', () => this.again());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.again();
    });
    this.open();
  }

  /** Tries now, where it waits for the next try. */
  again(): void {
    if (!this.stream) this.open();
  }

  private open(): void {
    clearTimeout(this.retry);
    this.heard = Date.now();
    const stream = new AbortController();
    this.stream = stream;
    const mine = () => this.stream === stream;
    const lag = new Lag();
    const heard = () => {
      if (mine()) this.heard = Date.now();
    };
    void follow(this.newest, stream.signal, heard, ({ event, data, id }) => {
      if (!mine()) return;
      if (id !== null) this.newest = id;
      if (event === 'status') this.take(JSON.parse(data) as Status, lag);
      if (event === 'event') this.handlers.event(JSON.parse(data) as HappenedEvent);
    }).then(
      () => mine() && this.lose(null),
      (error: unknown) => mine() && this.lose(error instanceof ApiError ? error : null),
    );
  }

  private take(status: Status, lag: Lag): void {
    this.pause = 1000;
    const behindMs = lag.take(status.nowUnixMs, performance.now());
    this.shown = Date.now() - behindMs;
    // First: it tells the server's clock, by which history is asked for.
    this.handlers.status(status, behindMs);
    if (this.connection.state !== 'live') this.become('live', null, null);
  }

  private lose(error: ApiError | null): void {
    const stream = this.stream;
    this.stream = null;
    stream?.abort();
    // The same token again would be wrong again: it is the user's turn.
    if (error?.status === 401) {
      this.become('lost', null, error);
      return;
    }
    this.become('lost', Date.now() + this.pause, error);
    this.retry = window.setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(longestPauseMs, this.pause * 2);
  }

  private become(state: 'live' | 'lost', retryAt: number | null, error: ApiError | null): void {
    const before = this.connection;
    const begins = before.state === 'live' ? this.shown : Date.now();
    const since = state === before.state ? before.since : begins;
    const wants = error?.status === 401 ? (token.known ? 'wrong' : 'wanted') : null;
    if (wants === 'wrong') token.set(null);
    const refused = error?.status ? error.message : null;
    this.connection = { state, since, retryAt, refused, token: wants };
    this.handlers.connection(this.connection);
  }
}
