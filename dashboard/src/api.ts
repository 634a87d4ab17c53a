/** The admin API (docs/api.md), as far as the page reads it. It changes nothing. */

import { Parser, type Message } from './sse.js';
import { token } from './token.js';

export type InstanceState = 'starting' | 'ready' | 'draining' | 'backingOff';

export interface Instance {
  id: number;
  state: InstanceState;
  pid: number | null;
  ageMs: number | null;
  restarts: number;
  cpu: number | null; // cores
  memory: number | null; // bytes
  outstanding: number | null;
}

export interface Step {
  stage: string;
  code: string;
  before: number;
  after: number;
  text: string;
  holds: boolean; // keeps the number from where the load alone would take it
  inputs?: Record<string, number | string | null>;
}

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

export interface Decision {
  id: number | null;
  autoscaler: string;
  unixMs: number;
  before: number;
  after: number;
  reason: string;
  outcome: string | null;
  steps: Step[];
  conditions: Condition[];
}

export interface Hold {
  replicas: number;
  untilUnixMs: number | null;
  why: string;
}

export interface Target {
  value: number;
  of: 'concurrency' | 'rate';
}

/** Requests held against the objective. */
export interface Judged {
  requests: number;
  within: number;
  share: number | null;
}

/** What latency is held against; it scales nothing. */
export interface Objective {
  latencyMs: number;
  percentile: number;
  atPercentileMs: number | null;
  recent: Judged;
  recentMs: number;
  missed: boolean; // fewer of the recent ones were within than are to be
  total: Judged; // since Headroom's start
}

export type Mood = 'good' | 'moving' | 'quiet' | 'held' | 'warning' | 'bad';

/** The gravest thing there is to say of a service. */
export interface State {
  name: string;
  mood: Mood;
  why: string;
}

export interface Autoscaler {
  name: string;
  state: State;
  listening: string | null;
  minReplicas: number;
  maxReplicas: number;
  target: Target | null;
  replicas: {
    wanted: number;
    ready: number;
    starting: number;
    draining: number;
    backingOff: number;
  };
  load: {
    concurrency: number | null;
    rate: number | null;
    waiting: number | null;
    running: number | null;
  } | null;
  latency: { p50Ms: number | null; p95Ms: number | null; p99Ms: number | null } | null;
  objective: Objective | null;
  requests: {
    completed: number;
    failed: number;
    rejected: number;
    failedRecently: number; // of failed, in recentMs
    recentMs: number;
  } | null;
  hold: Hold | null;
  decision: Decision | null;
  instances: Instance[];
}

export interface Status {
  version: string;
  nowUnixMs: number;
  documentRefused?: string; // why what the document says now is not what runs
  autoscalers: Autoscaler[];
}

export interface HappenedEvent {
  id: number;
  unixMs: number;
  autoscaler: string;
  kind: string;
  text: string;
  decision: number | null;
}

export interface HistorySample {
  unixMs: number;
  wanted: number | null;
  ready: number | null;
  concurrency: number | null;
  rate: number | null;
  waiting: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  failed: number | null;
  cpu: number | null;
  memory: number | null;
  // As they were then.
  target: Target | null;
  objective: {
    latencyMs: number;
    percentile: number;
    requests: number | null;
    within: number | null;
  } | null;
}

export interface History {
  stepMs: number;
  samples: HistorySample[];
}

export interface Output {
  text: string;
  end: number;
  lost?: boolean;
}

/** A time range, milliseconds since 1970. */
export interface Span {
  since: number;
  until: number;
}

/** What went wrong, in the server's words where it had some. */
export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: no answer
    message: string,
  ) {
    super(message);
  }
}

const base = '/api/v1';

async function get<T>(
  path: string,
  query: Record<string, string | number | boolean | undefined> = {},
): Promise<T> {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined)
      parameters.set(key, String(typeof value === 'number' ? Math.round(value) : value));
  }
  const text = parameters.toString();
  let answer: Response;
  try {
    answer = await fetch(base + path + (text ? '?' + text : ''), {
      headers: token.headers(),
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new ApiError(0, 'no answer');
  }
  if (!answer.ok) throw await refusal(answer);
  return (await answer.json()) as T;
}

async function refusal(answer: Response): Promise<ApiError> {
  const said = (await answer.json().catch(() => null)) as { error?: unknown } | null;
  return new ApiError(
    answer.status,
    typeof said?.error === 'string' ? said.error : `status ${answer.status}`,
  );
}

const of = (name: string) => `/autoscalers/${encodeURIComponent(name)}`;

export const history = (name: string, span: Span) =>
  get<History>(`${of(name)}/history`, { ...span });

export const events = async (query: {
  autoscaler?: string;
  since?: number;
  until?: number;
  after?: number;
  limit?: number;
}) => (await get<{ events: HappenedEvent[] }>('/events', query)).events;

export const decision = (id: number) =>
  get<Decision & { observation?: unknown }>(`/decisions/${id}`);

export const output = (name: string, replica: number, after?: number) =>
  get<Output>(`${of(name)}/replicas/${replica}/output`, { after });

/**
 * Takes the stream until it ends, with the events after `newest`; `heard`: something came, and be it
 * a part of a message. Not an EventSource, which can send no token and does not tell why it was
 * refused.
 */
export async function follow(
  newest: string | null,
  signal: AbortSignal,
  heard: () => void,
  take: (message: Message) => void,
): Promise<void> {
  const after = newest === null ? '' : `?after=${encodeURIComponent(newest)}`;
  const answer = await fetch(`${base}/stream${after}`, {
    headers: { Accept: 'text/event-stream', ...token.headers() },
    cache: 'no-store',
    signal,
  });
  if (!answer.ok) throw await refusal(answer);
  const parser = new Parser();
  const letters = new TextDecoder();
  const reader = answer.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    for (const message of parser.feed(letters.decode(value, { stream: true }))) take(message);
  }
}
