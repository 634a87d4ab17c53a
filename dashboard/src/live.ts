/** The stream: one connection that is made again when it is lost, be it cut or silent. */

import { ApiError, status, streamUrl, type HappenedEvent, type Status } from './api.js';

export interface Connection {
  state: 'connecting' | 'live' | 'lost';
  since: number; // this state, by this machine's clock
  retryAt: number | null;
  refused: string | null; // what Headroom says against it, where it answers
}

interface Handlers {
  status(status: Status): void;
  event(event: HappenedEvent): void;
  connection(connection: Connection): void;
}

// A status comes every second; a cut network says nothing at all.
const silenceMs = 6000;
const longestPauseMs = 10_000;

export class Live {
  private source: EventSource | null = null;
  private heard = 0;
  private pause = 1000;
  private retry: number | undefined;
  connection: Connection = { state: 'connecting', since: Date.now(), retryAt: null, refused: null };

  constructor(private readonly handlers: Handlers) {
    setInterval(() => {
      if (this.source && Date.now() - this.heard > silenceMs) this.lose();
    }, 1000);
    addEventListener('online', () => this.again());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.again();
    });
    this.open();
  }

  /** Tries now, where it waits for the next try. */
  again(): void {
    if (!this.source) this.open();
  }

  private open(): void {
    clearTimeout(this.retry);
    this.heard = Date.now();
    const source = new EventSource(streamUrl);
    this.source = source;
    source.addEventListener('status', (message: MessageEvent<string>) => {
      this.heard = Date.now();
      this.pause = 1000;
      // First: it tells the server's clock, by which history is asked for.
      this.handlers.status(JSON.parse(message.data) as Status);
      if (this.connection.state !== 'live') this.become('live', null);
    });
    source.addEventListener('event', (message: MessageEvent<string>) => {
      this.heard = Date.now();
      this.handlers.event(JSON.parse(message.data) as HappenedEvent);
    });
    source.onerror = () => {
      if (this.source === source) this.lose();
    };
  }

  private lose(): void {
    this.source?.close();
    this.source = null;
    this.become('lost', Date.now() + this.pause);
    this.retry = window.setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(longestPauseMs, this.pause * 2);
    // An EventSource does not tell why: a token that it cannot send, or too many streams.
    status().catch((error: unknown) => {
      if (this.connection.state !== 'lost' || !(error instanceof ApiError)) return;
      this.connection = { ...this.connection, refused: error.status ? error.message : null };
      this.handlers.connection(this.connection);
    });
  }

  private become(state: Connection['state'], retryAt: number | null): void {
    const since = state === this.connection.state ? this.connection.since : Date.now();
    const refused = state === 'lost' ? this.connection.refused : null;
    this.connection = { state, since, retryAt, refused };
    this.handlers.connection(this.connection);
  }
}
