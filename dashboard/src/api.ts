/** The admin API (docs/api.md), as far as the page reads it. It changes nothing. */

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

export interface Autoscaler {
  name: string;
  listening: string | null;
  minReplicas: number;
  maxReplicas: number;
  target: { value: number; of: 'concurrency' | 'rate' } | null;
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
  requests: { completed: number; failed: number; rejected: number } | null;
  hold: Hold | null;
  decision: Decision | null;
  instances: Instance[];
}

export interface Status {
  version: string;
  nowUnixMs: number;
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
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    throw new ApiError(0, 'no answer');
  }
  if (!answer.ok) {
    const said = (await answer.json().catch(() => null)) as { error?: unknown } | null;
    throw new ApiError(
      answer.status,
      typeof said?.error === 'string' ? said.error : `status ${answer.status}`,
    );
  }
  return (await answer.json()) as T;
}

const of = (name: string) => `/autoscalers/${encodeURIComponent(name)}`;

export const status = () => get<Status>('/autoscalers');

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

export const streamUrl = `${base}/stream`;
