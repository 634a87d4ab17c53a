/** What the page weighs, how soon it is there, and what an hour of events costs: a table. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { play } from '../../dev/scenario.mjs';
import {
  Cleanup,
  eventually,
  framesOf,
  Headroom,
  openBrowser,
  programs,
  Visit,
} from './harness.js';

const eventsInAnHour = 36_000; // 10 a second
const rows: [string, string][] = [];
const row = (what: string, figure: string) => {
  rows.push([what, figure]);
  console.log(`${what}: ${figure}`);
};
const mib = (bytes: number) => `${(bytes / 1048576).toFixed(1)} MiB`;
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const service = (name: string) => `apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: ${name} }
spec:
  target: { process: { command: [${JSON.stringify(programs.service)}, --port, $(PORT)], output: { to: none } } }
  gateway: { listen: "127.0.0.1:0" }
  minReplicas: 0
  maxReplicas: 4
`;

async function headroomOf(cleanup: Cleanup, services: number): Promise<Headroom> {
  const folder = cleanup.folder();
  const file = path.join(folder, 'services.yaml');
  const names = Array.from({ length: services }, (_, i) => `service-${i + 1}`);
  writeFileSync(file, names.map(service).join('---\n'));
  return Headroom.run(cleanup, folder, ['--admin', '127.0.0.1:0', file]);
}

/** Bytes of the answers' bodies, as they are sent. */
async function weigh(url: string): Promise<void> {
  const size = (file: string) =>
    new Promise<number>((done, failed) => {
      http
        .get(url + file, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
          let bytes = 0;
          answer.on('data', (data: Buffer) => (bytes += data.length));
          answer.on('end', () => done(bytes));
        })
        .on('error', failed);
    });
  const files = ['', 'app.js', 'app.css', 'favicon.svg'];
  const sizes = await Promise.all(files.map(size));
  const all = sizes.reduce((a, b) => a + b, 0);
  row('over the wire, gzip', `${(all / 1000).toFixed(1)} kB (${sizes.length} files, once)`);
}

/** From the navigation's start: something painted, and the first numbers that are live. */
async function start(browser: Browser, url: string, services: number): Promise<void> {
  const [painted, live]: number[][] = [[], []];
  for (let i = 0; i < 7; ++i) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(
      (count) =>
        document.querySelector('.liveness')?.textContent === 'live' &&
        document.querySelectorAll('.overview li').length === count &&
        document.querySelector('.figure .value')?.textContent !== '',
      services,
      { polling: 'raf' },
    );
    const [paint, now] = await page.evaluate(() => [
      performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
      performance.now(),
    ]);
    painted!.push(paint!);
    live!.push(now!);
    await context.close();
  }
  row(
    `first paint, ${services} service${services > 1 ? 's' : ''}`,
    `${median(painted!).toFixed(0)} ms (median of ${painted!.length})`,
  );
  row(
    `first live numbers, ${services} service${services > 1 ? 's' : ''}`,
    `${median(live!).toFixed(0)} ms (median of ${live!.length})`,
  );
}

interface Heap {
  used: number;
  nodes: number;
}

/** After a full collection, so that what is left is kept by somebody. */
async function heapOf(page: Page): Promise<Heap> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { used: usedSize, nodes };
}

/** The second half is held against the first: what grows with events grows there, too. */
function flat(what: string, values: number[], most: number): void {
  const half = values.length >> 1;
  const [before, after] = [Math.max(...values.slice(0, half)), Math.max(...values.slice(half))];
  assert.ok(
    after <= before * most,
    `${what} grows: at most ${before} in the first half, ${after} in the second`,
  );
}

/** An hour in a minute: a server whose clock runs sixty times as fast, with ten events a second. */
async function anHour(browser: Browser, cleanup: Cleanup): Promise<void> {
  let now = Date.now();
  const streams = new Set<http.ServerResponse>();
  const world = play('few', now, 1_800_000, null);
  const dist = path.join(process.env['DASHBOARD']!, 'dist');
  const types: Record<string, string> = {
    html: 'text/html; charset=utf-8',
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    svg: 'image/svg+xml',
  };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (pathname === '/api/v1/stream') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    if (pathname.startsWith('/api/')) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(
        JSON.stringify(
          pathname.endsWith('/history') ? { stepMs: 5000, samples: [] } : { events: [], text: '' },
        ),
      );
      return;
    }
    const name = pathname === '/' ? 'index.html' : path.basename(pathname);
    response.writeHead(200, { 'Content-Type': types[name.split('.').pop()!]! });
    response.end(readFileSync(path.join(dist, name)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  cleanup.add(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/#/shop`;
  const visit = await Visit.to(browser, cleanup, url);
  await eventually('its stream', () => streams.size);
  const tell = (text: string) => {
    for (const stream of streams) stream.write(text);
  };
  const heaps: Heap[] = [];
  let told = 0;
  const from = Date.now();
  while (told < eventsInAnHour) {
    now += 1000;
    world.tick(now);
    let text = '';
    for (let i = 0; i < 10; ++i) {
      const id = 1_000_000 + ++told;
      const event = {
        id,
        unixMs: now - 1000 + i * 100,
        autoscaler: 'shop',
        kind: ['ready', 'draining', 'gone', 'trouble', 'rescale'][told % 5]!,
        text: `replica ${told} did something that takes a line to tell`,
        decision: told % 5 === 4 ? told : null,
      };
      text += `id: ${id}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`;
    }
    tell(`event: status\ndata: ${JSON.stringify(world.status(now))}\n\n${text}`);
    await pause(Math.max(0, from + (told / eventsInAnHour) * 60_000 - Date.now()));
    if (told % (eventsInAnHour / 12) === 0) {
      await visit.shows('.events .text', new RegExp(`^replica ${told} `), 60);
      heaps.push(await heapOf(visit.page));
    }
  }
  // The kept ones are as many as there may be after 1/9 of the time: from then on it must be flat.
  const used = heaps.slice(2).map((heap) => heap.used);
  row(
    'JS heap of the page over 36,000 events and 3,600 looks',
    `${mib(heaps[0]!.used)} after 3,000, ${mib(Math.min(...used))} to ${mib(Math.max(...used))} from 9,000 on`,
  );
  row(
    'DOM nodes over the same',
    `${heaps[0]!.nodes} after 3,000, at most ${Math.max(...heaps.map((heap) => heap.nodes))}`,
  );
  flat('the heap', used, 1.1);
  flat(
    'the number of DOM nodes',
    heaps.slice(2).map((heap) => heap.nodes),
    1.1,
  );
  visit.blameless();
}

/** Of the process that does the work, which is a child of the one that was started. */
const rssOf = (pid: number) => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const worker = children.find(
    (child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'headroom\n',
  );
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))![1]) * 1024;
};

/** A real Headroom that has as much to tell as in an hour, to a page that is there. */
async function server(browser: Browser, cleanup: Cleanup): Promise<void> {
  const headroom = await headroomOf(cleanup, 1);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.liveness', /^live$/);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const post = (body: string) =>
    new Promise<void>((done, failed) => {
      const request = http.request(
        {
          socketPath: headroom.socket,
          path: '/api/v1/autoscalers/service-1/pause',
          method: 'POST',
          agent,
          headers: {
            'content-type': 'application/json',
            'content-length': body.length,
            host: 'localhost',
          },
        },
        (answer) => {
          answer.resume();
          answer.on('end', () => {
            if (answer.statusCode === 200) done();
            else failed(new Error(`status ${answer.statusCode}`));
          });
        },
      );
      request.on('error', failed);
      request.end(body);
    });
  let told = 0;
  const tell = async (events: number, look: () => unknown) => {
    for (const end = told + events; told < end;) {
      await Promise.all(
        Array.from({ length: 4 }, (_, i) => post(`{"forMs": ${100_000 + told + i}}`)),
      );
      told += 4;
      if (told % 3000 === 0) look();
    }
  };
  // SQLite's cache (4 MiB) is full by then.
  const before = rssOf(headroom.program.process.pid!);
  await tell(48_000, () => undefined);
  const rss: number[] = [];
  const from = Date.now();
  await tell(eventsInAnHour, () => rss.push(rssOf(headroom.program.process.pid!)));
  const seconds = (Date.now() - from) / 1000;
  await eventually(
    'the page has the last',
    async () => {
      const { events } = await headroom.get<{ events: { text: string }[] }>('events?limit=1');
      return (await visit.text('.events .text')) === events[0]!.text;
    },
    120,
  );
  row(
    'RSS of headroom over 36,000 events',
    `${mib(Math.min(...rss))} to ${mib(Math.max(...rss))} (in ${seconds.toFixed(0)} s, a page connected; ${mib(before)} at the start, 48,000 events before these fill the journal's cache)`,
  );
  flat('RSS', rss, 1.03);
  visit.blameless();
}

async function main(): Promise<void> {
  const browser = await openBrowser();
  const cleanup = new Cleanup();
  try {
    const one = await headroomOf(cleanup, 1);
    await weigh(one.url);
    await start(browser, one.url, 1);
    await cleanup.run();

    const many = await headroomOf(cleanup, 200);
    await eventually('200 services', async () => {
      const { autoscalers } = await many.get<{ autoscalers: unknown[] }>('autoscalers');
      return autoscalers.length === 200;
    });
    await start(browser, many.url, 200);
    const visit = await Visit.to(browser, cleanup, many.url);
    await visit.shows('.summary', /200 services/);
    await pause(3000);
    const { frames, longest, share } = await framesOf(visit.page, 10);
    row(
      'live with 200 services',
      `${(frames / 10).toFixed(1)} frames/s, the longest ${longest.toFixed(0)} ms; main thread ${(share * 100).toFixed(0)} %`,
    );
    await cleanup.run();

    await anHour(browser, cleanup);
    await cleanup.run();
    await server(browser, cleanup);
  } finally {
    await cleanup.run();
    await browser.close();
  }
  console.log('\n| | |\n|---|---|');
  for (const [what, figure] of rows) console.log(`| ${what} | ${figure} |`);
}

await main();
