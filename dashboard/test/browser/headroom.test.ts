/** The page over a real Headroom: real replicas, real load, a restart, a cut network. */

import assert from 'node:assert/strict';
import test, { after, afterEach, before } from 'node:test';
import { rmSync, writeFileSync } from 'node:fs';
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
  madeUp,
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
  assert.match(policy, /^default-src 'none';.*; trusted-types 'none'$/);
  assert.doesNotMatch(policy, /unsafe|data:|\*/);
  const madeUpPage = await fetch(await madeUp(cleanup, 'empty'));
  assert.equal(
    madeUpPage.headers.get('content-security-policy'),
    policy,
    'that of the other tests',
  );

  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.head .state', /asleep/);
  await visit.shows('.replicas', /None runs\. .* asleep: the next request starts a replica\./);
  assert.equal(await headroom.post('autoscalers/shop/scale', { replicas: 0 }), 200);
  await visit.shows('.replicas', /None runs\. The service is pinned: at 0 replicas\.$/);
  assert.equal(await headroom.post('autoscalers/shop/pause'), 200);
  await visit.shows('.replicas', /None runs\. The service is paused: at 0 replicas\.$/);
  assert.equal(await headroom.post('autoscalers/shop/resume'), 200);
  await visit.shows('.replicas', /the next request starts a replica/);
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

test('where maxReplicas is 0 no request is said to start a replica', { skip }, async () => {
  const folder = cleanup.folder();
  const flags = ['--admin', '127.0.0.1:0', '--listen', '127.0.0.1:0', '--min', '0', '--max', '0'];
  const headroom = await Headroom.run(cleanup, folder, [...flags, ...service()]);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.replicas', /None runs\. The service is asleep: maxReplicas is 0: .*\.$/);
  visit.blameless();
});

test('a document that is refused is said, until it is right again', { skip }, async () => {
  const folder = cleanup.folder();
  const file = path.join(folder, 'shop.yaml');
  const command = JSON.stringify([programs.service!, '--port', '$(PORT)']);
  const document = (most: string) =>
    'apiVersion: headroom.dev/v1alpha1\nkind: Autoscaler\nmetadata: { name: shop }\nspec:\n' +
    `  target: { process: { command: ${command} } }\n  gateway: { listen: "127.0.0.1:0" }\n` +
    `  minReplicas: 1\n  ${most}\n`;
  writeFileSync(file, document('maxReplicas: 4'));
  const headroom = await Headroom.run(cleanup, folder, ['--admin', '127.0.0.1:0', file]);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  const banner = visit.page.locator('p.banner');
  await visit.shows('.state', /^steady/);
  assert.equal(await banner.textContent(), '');
  writeFileSync(file, document('<b>: 4'));
  await visit.shows(
    'p.banner',
    /^The document is refused, what ran before goes on: .*shop\.yaml:8:3: unknown field "<b>"/,
  );
  await visit.accessible('with a document that is refused');
  writeFileSync(file, document('maxReplicas: 5'));
  await eventually('nothing is said', async () => (await banner.textContent()) === '');
  visit.blameless();
});

test('a service that crashes again and again is never well', { skip }, async () => {
  const folder = cleanup.folder();
  const headroom = await Headroom.run(cleanup, folder, [
    '--admin',
    '127.0.0.1:0',
    '--name',
    'shop',
    '--listen',
    '127.0.0.1:0',
    '--min',
    '1',
    '--',
    'sh',
    '-c',
    'timeout 2 "$0" --port "$PORT"; exit 1',
    programs.service!,
  ]);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.state', /^crashing/);
  // It starts, is ready, ends and waits, some times over.
  const said = await visit.page.evaluate(async () => {
    const [found, states] = [new Set<string>(), new Set<string>()];
    for (let i = 0; i < 150; ++i) {
      const text = (what: string) => document.querySelector(what)?.textContent ?? '';
      found.add(`${document.title} | ${text('.summary')} | ${text('.state')}`);
      states.add(text('.replicas tbody td[data-state]'));
      await new Promise((done) => setTimeout(done, 100));
    }
    return { found: [...found], states: [...states].sort() };
  });
  assert.deepEqual(said.found, [
    'shop: crashing – Headroom | 1 service, 1 needs attention | crashing: 1 replica failed lately',
  ]);
  assert.ok(said.states.includes('ready') && said.states.includes('backing off'), `${said.states}`);
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

test(
  'with another journal the page has what that one has, and nothing else',
  { skip },
  async () => {
    const folder = cleanup.folder();
    const flags = ['--admin', `127.0.0.1:${await freePort()}`, ...quick, ...service()];
    const first = await Headroom.run(cleanup, folder, flags);
    const visit = await Visit.to(browser, cleanup, first.url);
    await visit.shows('.liveness', /^live$/);
    const scaled = visit.page.locator('.events [data-kind=rescale] button');
    const wake = async (headroom: Headroom) => {
      assert.equal((await fetch(await headroom.gateway())).status, 200);
      await eventually('a scaling event', () => scaled.count());
      await scaled.last().click();
      await visit.shows('.why h2', /^Why 1 replica/);
    };
    await wake(first);
    // So many that the next journal's ids are all known.
    for (let i = 1; i <= 20; ++i)
      assert.equal(await first.post('autoscalers/shop/pause', { forMs: 60_000 + i }), 200);
    await visit.shows('.events', /paused at 1 /);
    await first.program.end('SIGTERM');
    for (const file of ['journal.db', 'journal.db-wal', 'journal.db-shm'])
      rmSync(path.join(folder, file), { force: true });

    const second = await Headroom.run(cleanup, folder, flags);
    await visit.shows('.liveness', /^live$/);
    await eventually('the old ones are gone', async () => (await scaled.count()) === 0);
    await wake(second);
    const { events } = await second.get<{ events: HappenedEvent[] }>('events?limit=1000');
    const rescale = events.find(({ kind }) => kind === 'rescale')!;
    const { steps } = await second.get<Decision>(`decisions/${rescale.decision}`);
    assert.deepEqual(
      await visit.page.locator('.steps .text').allInnerTexts(),
      steps.map(({ text }) => text),
    );
    assert.equal(await second.post('autoscalers/shop/scale', { replicas: 2 }), 200);
    await visit.shows('.events', /pinned at 2 /);
    await visit.shows('.events', /replica 2 ready/);
    const told = await second.get<{ events: HappenedEvent[] }>('events?limit=1000');
    assert.deepEqual(
      await visit.page.locator('.events .text').allInnerTexts(),
      told.events.map(({ text }) => text),
    );
    assert.deepEqual(visit.elsewhere, []);
    assert.deepEqual(
      visit.complaints.filter((each) => !/404/.test(each)),
      [],
      'that the decision in view is no more is the browser’s own line',
    );
  },
);

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

const secret = 'a-token-of-more-than-16-characters';

test('where a token is needed the page asks for it', { skip }, async () => {
  const folder = cleanup.folder();
  const file = path.join(folder, 'token');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const admin = ['--admin', '0.0.0.0:0', '--admin-token-file', file];
  const headroom = await Headroom.run(cleanup, folder, [...admin, ...quick, ...service()]);
  const url = headroom.url.replace('0.0.0.0', '127.0.0.1');
  for (const colorScheme of ['light', 'dark'] as const) {
    const visit = await Visit.to(browser, cleanup, url, { colorScheme });
    const { page } = visit;
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await visit.shows('h1', /wants a token/);
    await visit.shows('.liveness', /token needed/);
    assert.equal(await visit.has('.banner'), false, 'it is connected well enough');
    await visit.accessible(`asked for, ${colorScheme}`);
    const streams = () => asked.filter((each) => each.includes('/stream')).length;
    const before = streams();
    await new Promise((done) => setTimeout(done, 2500));
    assert.equal(streams(), before, 'it does not try again what would be refused again');

    // By the keyboard alone: it has the focus.
    const focused = () => page.evaluate(() => document.activeElement?.id);
    assert.equal(await focused(), 'token');
    await page.keyboard.type('too short');
    await page.keyboard.press('Enter');
    await visit.shows('.token .problem', /at least 16 characters/);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('another-token-of-more-than-16');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await visit.shows('.token .problem', /another token than this one/);
    assert.equal(await focused(), 'token', 'to be typed again');
    assert.equal(await page.locator('#token').getAttribute('aria-invalid'), 'true');
    await visit.accessible(`refused, ${colorScheme}`);
    await page.keyboard.type(secret);
    await page.keyboard.press('Enter');
    await visit.shows('.liveness', /^live$/);
    await visit.shows('h1', /^shop$/);
    assert.equal(await visit.has('.token'), false);
    assert.equal(await page.locator('#token').inputValue(), '');
    await eventually('history, too', async () =>
      /between/.test((await page.locator('.plot').first().getAttribute('aria-label')) ?? ''),
    );
    await page.locator('.replicas').waitFor();
    await visit.accessible(`let in, ${colorScheme}`);

    // In this tab it is not asked for again, until it is forgotten.
    await page.reload();
    await visit.shows('h1', /^shop$/);
    assert.deepEqual(
      [...asked, page.url()].filter((each) => each.includes(secret)),
      [],
      'it is never in an address',
    );
    const kept = await page.evaluate(() => [Object.values(localStorage), document.cookie]);
    assert.doesNotMatch(JSON.stringify(kept), new RegExp(secret));
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await visit.shows('h1', /wants a token/);
    assert.equal(await visit.has('.service'), false, 'and nothing is shown any more');
    assert.deepEqual(visit.elsewhere, []);
    assert.deepEqual(
      visit.complaints.filter((each) => !/401/.test(each)),
      [],
      'the refusals are the browser’s own lines',
    );
  }
  assert.doesNotMatch(headroom.program.log(), new RegExp(secret));
});

test('a token that is changed while the page is open is asked for again', { skip }, async () => {
  const folder = cleanup.folder();
  const file = path.join(folder, 'token');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const admin = ['--admin', '0.0.0.0:0', '--admin-token-file', file];
  const headroom = await Headroom.run(cleanup, folder, [...admin, ...quick, ...service()]);
  const visit = await Visit.to(browser, cleanup, headroom.url.replace('0.0.0.0', '127.0.0.1'));
  await visit.shows('h1', /wants a token/);
  await visit.page.locator('#token').fill(secret);
  await visit.page.keyboard.press('Enter');
  await visit.shows('h1', /^shop$/);
  writeFileSync(file, 'the-second-token-of-this-test\n', { mode: 0o600 });
  await headroom.program.said(/token.*read again, taken/);
  await visit.shows('.token .problem', /another token than this one/);
  await visit.page.locator('#token').fill('the-second-token-of-this-test');
  await visit.page.keyboard.press('Enter');
  await visit.shows('.liveness', /^live$/);
  assert.equal(await visit.has('.token'), false);
});

test('an objective is drawn, and where it is missed is marked', { skip }, async () => {
  const folder = cleanup.folder();
  const headroom = await Headroom.run(cleanup, folder, [
    '--admin',
    '127.0.0.1:0',
    ...quick,
    '--objective',
    '5ms@p90',
    ...service(),
  ]);
  const visit = await Visit.to(browser, cleanup, headroom.url);
  await visit.shows('.head .objective', /Objective no request yet/);
  load(cleanup, folder, await headroom.gateway(), '0s:50,300s:50');
  // Each takes 20 ms.
  await visit.shows(
    '.head .objective',
    /Objective missed: 0 % of the requests within 5 ms in 5 min, 90 % wanted/,
  );
  await visit.shows('.head .state', /^late/);
  const latency = visit.page.locator('.chart', { hasText: 'Latency' });
  await eventually('the line is said', async () =>
    /objective at p90 5 ms/.test(await latency.locator('.legend').innerText()),
  );
  await latency.locator('.as-table summary').click();
  await eventually('a column of shares', async () =>
    /\s0 %\s/.test(await latency.locator('table').innerText()),
  );
  await visit.accessible('late');
  visit.blameless();
});

test(
  'a network that is cut again and again: no event is missed, none is twice',
  { skip },
  async () => {
    const folder = cleanup.folder();
    const headroom = await Headroom.run(cleanup, folder, [
      '--admin',
      '127.0.0.1:0',
      ...quick,
      ...service(),
    ]);
    const wire = await Wire.to(headroom.url, cleanup);
    const visit = await Visit.to(browser, cleanup, wire.url);
    await visit.shows('.liveness', /^live$/);
    // Each of these is an event: some come live, some while it is cut, some while it comes back.
    let pauses = 0;
    const operator = async (times: number) => {
      for (let i = 0; i < times; ++i) {
        assert.equal(
          await headroom.post('autoscalers/shop/pause', { forMs: 60_000 + ++pauses }),
          200,
        );
      }
    };
    // The first time it is cut before it was told of any.
    for (const mode of ['cut', 'silent', 'cut'] as const) {
      wire.set(mode);
      await operator(5);
      await visit.shows('.banner', /Not connected/, 20);
      wire.set('cut');
      await operator(5);
      wire.set('pass');
      const back = visit.shows('.liveness', /^live$/, 30);
      await operator(20);
      await back;
    }
    await operator(1);
    const { events } = await headroom.get<{ events: HappenedEvent[] }>(
      'events?autoscaler=shop&limit=1000',
    );
    const told = events.filter(({ kind }) => kind === 'operator').map(({ text }) => text);
    assert.equal(told.length, pauses);
    const shown = () => visit.page.locator('.events [data-kind=operator] .text').allInnerTexts();
    await eventually('all of them', async () => {
      const more = visit.page.getByRole('button', { name: 'Show earlier ones' });
      if (await more.isVisible()) await more.click();
      return (await shown()).length >= told.length;
    });
    assert.deepEqual(await shown(), told, 'the same, in the same order');
    assert.equal(wire.asked.filter((each) => /stream\?after=\d+$/.test(each)).length >= 3, true);
    visit.blameless();
  },
);

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
