// Serves the page with a made-up scenario behind it, for working on the page without building
// Headroom, and for what a real one would never say (hostile names):
//
//   node dev/server.mjs [few|one|many|hostile|empty] [PORT]
//
// Builds the page at each start. AT=2026-11-25T09:17:00Z plays as if it were then: the same pictures
// again. The headers are those of the real door.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { play } from './scenario.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = process.env.DASHBOARD_DIST ?? path.join(here, '../../build/dashboard/dist');
const [scenario = 'few', port = '7790'] = process.argv.slice(2);

if (!process.env.DASHBOARD_DIST)
  execFileSync(process.execPath, [path.join(here, '../build.mjs'), dist], { stdio: 'inherit' });

const shift = process.env.AT ? Date.parse(process.env.AT) - Date.now() : 0;
const clock = () => Date.now() + shift;

const streams = new Set();
const send = (stream, event, data, id) =>
  stream.write(
    `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );
const pastMs = scenario === 'few' || scenario === 'one' ? 7 * 86_400_000 : 1_800_000;
const world = play(scenario, clock(), pastMs, (event) =>
  streams.forEach((stream) => send(stream, 'event', event, event.id)),
);
setInterval(() => {
  const now = clock();
  world.tick(now);
  const status = world.status(now);
  streams.forEach((stream) => send(stream, 'status', status));
}, 1000);

const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};
const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

function api(url) {
  const number = (name, otherwise) =>
    url.searchParams.has(name) ? Number(url.searchParams.get(name)) : otherwise;
  const [what, name, part, id] = url.pathname
    .replace('/api/v1/', '')
    .split('/')
    .map(decodeURIComponent);
  const [since, until] = [number('since', 0), number('until', Infinity)];
  if (what === 'autoscalers' && name === undefined) return world.status(clock());
  if (what === 'events') {
    const wanted = url.searchParams.get('autoscaler');
    const found = world
      .events()
      .filter(
        (event) =>
          (!wanted || event.autoscaler === wanted) &&
          event.unixMs >= since &&
          event.unixMs <= until,
      );
    return { events: found.sort((a, b) => b.id - a.id).slice(0, number('limit', 100)) };
  }
  if (what === 'decisions' && name) {
    const decision = world.decision(Number(name));
    return (
      decision && {
        ...decision,
        observation: {
          at: decision.unixMs,
          load: { concurrency: 14.2, waiting: 0 },
          replicas: [{ id: 1, state: 'ready' }],
        },
      }
    );
  }
  const service = what === 'autoscalers' ? world.find(name) : undefined;
  if (part === 'history') return service?.history(since, until);
  if (part === 'replicas')
    return service?.output(Number(id), url.searchParams.get('after') ?? undefined);
  return service?.autoscaler(clock());
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/api/v1/stream') {
    response.writeHead(200, {
      ...headers,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
    });
    streams.add(response);
    send(response, 'status', world.status(clock()));
    response.on('close', () => streams.delete(response));
    return;
  }
  if (url.pathname.startsWith('/api/')) {
    const answer = api(url);
    response.writeHead(answer ? 200 : 404, { ...headers, 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'no such thing' }));
    return;
  }
  const name = url.pathname === '/' ? 'index.html' : path.basename(url.pathname);
  try {
    const body = await readFile(path.join(dist, name));
    response.writeHead(200, {
      ...headers,
      'Content-Type': types[name.split('.').pop()] ?? 'application/octet-stream',
    });
    response.end(body);
  } catch {
    response.writeHead(404, headers).end();
  }
});
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}/`),
);
