/** The page over a real Headroom: real replicas, real load, a restart, a cut network. */

import assert from 'node:assert/strict';
import test, { after, afterEach, before } from 'node:test';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import type { Decision, HappenedEvent, Status } from '../../src/api.js';
import {
  Cleanup,
  eventually,
  framesOf,
  Headroom,
  load,
  openBrowser,
  programs,
  Visit,
  Wire,
} from './harness.js';

const missing = Object.entries(programs)
  .filter(([, program]) => !program)
  .map(([name]) => name);
const skip = missing.length ? `needs ${missing.join(', ')}: see test/run.mjs` : false;

let browser: Browser;
const cleanup = new Cleanup();

before(async () => {
  browser = await openBrowser();
});
afterEach(() => cleanup.run());
after(() => browser.close());

const quick = [
  '--name',
  'shop',
  '--listen',
  '127.0.0.1:0',
  '--min',
  '0',
  '--max',
  '4',
  '--concurrency',
  '5',
  '--window',
  '6s',
  '--cooldown',
  '60s',
];
const service = () => [
  '--',
  'sh',
  '-c',
  'echo "here is <b>$PORT</b>"; exec "$0" --port "$PORT" --wait 20ms',
  programs.service!,
];
// 600 a second for 20 ms each are 12 at once, which takes 4 replicas.
const rush = '0s:600,300s:600';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

test('under load it shows what the API says, and why', { skip }, async () => {
  const folder = cleanup.folder();
  const headroom = await Headroom.run(cleanup, folder, [
    '--admin',
    '127.0.0.1:0',
    ...quick,
    ...service(),
  ]);
  const page = await fetch(headroom.url);
  const policy = page.headers.get('content-security-policy') ?? '';
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
  ])
    assert.ok(policy.includes(part), policy);
  assert.doesNotMatch(policy, /unsafe/);

  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.head .state', /asleep/);
  await visit.shows('.replicas', /The next request starts one/);
  const requests = load(cleanup, folder, await headroom.gateway(), rush);
  await visit.shows('.figure:nth-child(1) .value', /^4$/);
  await visit.shows('.figure:nth-child(2) .value', /^\d[\d.]* of \d+/);
  await visit.shows('.figure:nth-child(4) .value', /^\d[\d.]* ms$/);

  // Each scaling event is a mark that opens its chain.
  const { events } = await headroom.get<{ events: HappenedEvent[] }>(
    'events?autoscaler=shop&limit=1000',
  );
  const rescale = events.find(({ kind }) => kind === 'rescale')!;
  await eventually('marks', () => visit.page.locator('.marks button').count());
  await visit.page.locator('.events button', { hasText: rescale.text }).first().click();
  const decision = await headroom.get<Decision>(`decisions/${rescale.decision}`);
  await visit.shows('.why h2', new RegExp(`^Why ${decision.after} replica`));
  assert.deepEqual(
    await visit.page.locator('.steps .text').allInnerTexts(),
    decision.steps.map(({ text }) => text),
  );
  assert.deepEqual(
    await visit.page.locator('.steps code').allInnerTexts(),
    decision.steps.map(({ code }) => code),
  );
  assert.equal(await visit.page.locator('.conditions li').count(), decision.conditions.length);
  await visit.page.locator('.why summary').click();
  await visit.shows('.why pre', /replicas/);
  await visit.page.locator('.marks button').last().click();
  await visit.shows('.why .when', /the decision of/);
  await visit.page.keyboard.press('Escape');

  // Each replica, and its last lines as text.
  const { autoscalers } = await headroom.get<Status>('autoscalers');
  const ids = autoscalers[0]!.instances.map(({ id }) => String(id));
  assert.deepEqual(await visit.page.locator('.replicas tbody th').allInnerTexts(), ids);
  await visit.page.locator('.replicas button').first().click();
  await visit.shows('.output pre', /here is <b>\d+<\/b>/);
  await eventually('each has memory', async () =>
    (await visit.page.locator('.replicas tbody td:nth-child(6)').allInnerTexts()).every((text) =>
      /\d/.test(text),
    ),
  );

  // The charts have the same numbers as the tables behind them.
  await visit.page.locator('.as-table summary').nth(1).click();
  assert.match(await visit.text('.as-table[open] tbody tr'), /^\d\d:\d\d:\d\d\s+4\s+4$/);

  assert.equal(await headroom.post('autoscalers/shop/pause'), 200);
  await visit.shows(
    '.holding',
    /paused at 4 replicas by an operator since \d\d:\d\d:\d\d, until somebody resumes it/i,
  );
  await visit.accessible('a real one, paused');
  assert.equal(await headroom.post('autoscalers/shop/scale', { replicas: 3, forMs: 600_000 }), 200);
  await visit.shows(
    '.holding',
    /pinned at 3 replicas by an operator.* until \d\d:\d\d:\d\d \((10 min|9 min \d+ s) left\)/i,
  );
  assert.equal(await headroom.post('autoscalers/shop/resume'), 200);
  await eventually(
    'nothing is held by an operator',
    async () => (await visit.page.locator('.holding [data-by=operator]').count()) === 0,
  );
  await requests.end('SIGKILL');
  visit.blameless();
});

test('a restart of Headroom is a gap, and the page goes on', { skip }, async () => {
  const folder = cleanup.folder();
  const port = await freePort();
  const flags = [
    '--admin',
    `127.0.0.1:${port}`,
    ...quick.map((flag) => (flag === '0' ? '2' : flag)),
    ...service(),
  ];
  const first = await Headroom.run(cleanup, folder, flags);
  const visit = await Visit.to(browser, cleanup, first.url);
  await visit.shows('.figure:nth-child(1) .value', /^2$/);
  // Samples that are on disk: a kill loses those of the last two steps.
  await new Promise((done) => setTimeout(done, 16_000));
  await first.program.end('SIGKILL');
  await visit.shows('.banner', /Not connected to Headroom/, 15);
  await new Promise((done) => setTimeout(done, 9000));
  await Headroom.run(cleanup, folder, flags);
  await visit.shows('.liveness', /^live$/, 30);
  await visit.shows('.figure:nth-child(1) .value', /^2$/);
  await visit.shows('.without', /No data from .*\d\d:\d\d:\d\d to \d\d:\d\d:\d\d/);
  visit.blameless();
});

test('what happened while the network was cut is there afterwards', { skip }, async () => {
  const folder = cleanup.folder();
  const headroom = await Headroom.run(cleanup, folder, [
    '--admin',
    '127.0.0.1:0',
    ...quick,
    ...service(),
  ]);
  const wire = await Wire.to(headroom.url, cleanup);
  const visit = await Visit.to(browser, cleanup, wire.url);
  await visit.shows('.head .state', /asleep/);
  wire.set('silent');
  const requests = load(cleanup, folder, await headroom.gateway(), rush);
  await headroom.program.said(/→ 4 replicas/);
  await visit.shows('.banner', /Not connected/, 15);
  await requests.end('SIGKILL');
  wire.set('cut');
  wire.set('pass');
  await visit.shows('.liveness', /^live$/, 30);
  await visit.shows('.events', /→ 4 replicas/);
  await eventually(
    'the time of the cut has its samples',
    async () => (await visit.page.locator('.without').textContent()) === '',
  );
  await eventually('marks', () => visit.page.locator('.marks button').count());
  visit.blameless();
});

test('where a token is needed the page is empty, and says why', { skip }, async () => {
  const folder = cleanup.folder();
  const token = path.join(folder, 'token');
  writeFileSync(token, 'a-token-of-more-than-16-characters\n', { mode: 0o600 });
  const admin = ['--admin', '0.0.0.0:0', '--admin-token-file', token];
  const headroom = await Headroom.run(cleanup, folder, [...admin, ...quick, ...service()]);
  const visit = await Visit.to(browser, cleanup, headroom.url.replace('0.0.0.0', '127.0.0.1'));
  await visit.shows('.banner', /Not connected to Headroom .*which says: .*token/i);
  await visit.accessible('refused');
  assert.deepEqual(visit.elsewhere, []);
});

test('200 services behind one Headroom', { skip }, async () => {
  const folder = cleanup.folder();
  const documents = Array.from(
    { length: 200 },
    (_, i) => `apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: service-${i + 1} }
spec:
  target: { process: { command: [${JSON.stringify(programs.service)}, --port, $(PORT)], output: { to: none } } }
  gateway: { listen: "127.0.0.1:0" }
  minReplicas: 0
  maxReplicas: 4
`,
  );
  const file = path.join(folder, 'services.yaml');
  writeFileSync(file, documents.join('---\n'));
  const headroom = await Headroom.run(cleanup, folder, ['--admin', '127.0.0.1:0', file]);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  await eventually(
    '200 services',
    async () => (await visit.page.locator('.overview li').count()) === 200,
    60,
  );
  await visit.shows('.summary', /200 services, all well/);
  const { frames, longest, share } = await framesOf(visit.page, 5);
  console.log(
    `# 5 s live with 200 services: ${frames} frames, the longest ${longest.toFixed(1)} ms, main thread ${(share * 100).toFixed(1)} %`,
  );
  assert.ok(share > 0 && share < 0.5, `the main thread takes ${share} of a CPU`);
  assert.ok(frames > 100, `${frames} frames in 5 s`);
  await visit.accessible('200 services');
  visit.blameless();
});
