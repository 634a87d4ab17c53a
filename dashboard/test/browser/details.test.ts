/** The page over a made-up scenario: what stays, what is said, and how it can be seen. */

import assert from 'node:assert/strict';
import test, { after, afterEach, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Cleanup, eventually, madeUp, openBrowser, Visit, Wire } from './harness.js';

let browser: Browser;
const cleanup = new Cleanup();

before(async () => {
  browser = await openBrowser();
});
afterEach(() => cleanup.run());
after(() => browser.close());

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: at } = document;
    return at?.id || at?.getAttribute('aria-label') || (at as HTMLInputElement)?.value || '';
  });

/** How many points of a chart have just this colour. */
const points = (page: Page, chart: string, colour: [number, number, number]) =>
  page
    .locator('.chart', { hasText: chart })
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement, [r, g, b]) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) ++found;
      return found;
    }, colour);

// A time of the scenario at which the shop has marks, the first of which is not the newest decision:
// at a third of all times there is none in 15 minutes.
const AT = '2026-11-25T09:17:00Z';

test('in forced colours the charts keep their own', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few')) + '#/shop', {
    forcedColors: 'active',
  });
  const { page } = visit;
  const all = async (load: [number, number, number], room: [number, number, number]) =>
    (await points(page, 'Load', load)) > 100 && (await points(page, 'Load', room)) > 2000;
  await eventually('a line before an area', () => all([0x24, 0x56, 0xc9], [0xe9, 0xef, 0xfa]));
  const swatch = page.locator('.swatch.of-load');
  const border = () => swatch.evaluate((each) => getComputedStyle(each).borderTopColor);
  assert.equal(await border(), 'rgb(36, 86, 201)');
  await visit.accessible('forced colours');
  // Painted anew, for that ground.
  await page.emulateMedia({ forcedColors: 'active', colorScheme: 'dark' });
  await eventually('the dark ones', () => all([0x86, 0xae, 0xfb], [0x1c, 0x29, 0x41]));
  visit.blameless();
});

test('an open table and a chart’s summary are of the range in view', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few', { AT })) + '#/shop');
  const { page } = visit;
  await eventually('marks', () => page.locator('.marks button').count());
  await page.locator('.as-table summary').first().click();
  await page.locator('.as-table summary').nth(2).click();
  const times = () => page.locator('.chart:first-child tbody th').allInnerTexts();
  await eventually('rows', async () => (await times()).length > 20);
  const [newest] = await times();
  await eventually('it goes on', async () => (await times())[0] !== newest, 12);
  await page.getByLabel('The last 7 days, live').check();
  await eventually('rows of days', async () => /\d \w+, \d/.test((await times()).at(-1) ?? ''), 4);
  // The latencies of a week take a logarithmic scale: another chart in the place of the old one.
  assert.equal(await page.locator('.as-table[open]').count(), 2);
  const summary = await page.locator('.plot').first().getAttribute('aria-label');
  assert.match(summary!, /^Load: requests in flight, \d+ \w+, \d\d:\d\d:\d\d to /);
  visit.blameless();
});

test('what the server has not written yet is no time without data', async () => {
  const wire = await Wire.to(await madeUp(cleanup, 'few'), cleanup);
  const visit = await Visit.to(browser, cleanup, 'about:blank');
  const { page } = visit;
  // The last two steps are not on its disk.
  await page.route('**/history?*', async (route) => {
    const answer = await route.fetch();
    const { stepMs, samples } = (await answer.json()) as { stepMs: number; samples: unknown[] };
    await route.fulfill({ response: answer, json: { stepMs, samples: samples.slice(0, -2) } });
  });
  await page.goto(wire.url + '#/shop');
  await eventually('history', async () =>
    /between/.test((await page.locator('.plot').first().getAttribute('aria-label')) ?? ''),
  );
  for (let i = 0; i < 20; ++i) {
    assert.equal(await page.locator('.without').textContent(), '');
    await pause(100);
  }
  assert.deepEqual(visit.complaints, []);
});

test('what was seen is of the decision above it', async () => {
  const few = await madeUp(cleanup, 'few', { AT });
  const visit = await Visit.to(browser, cleanup, few + '#/shop');
  const { page } = visit;
  await eventually('marks', () => page.locator('.marks button').count());
  await page.locator('.why summary').click();
  await visit.shows('.why summary', /seen by decision \d+$/);
  await page.locator('.marks button').first().click();
  await visit.shows('.why .when', /number \d+$/);
  const [number] = /\d+$/.exec(await visit.text('.why .when'))!;
  await visit.shows('.why summary', new RegExp(`seen by decision ${number}$`));
  const answer = await page.request.get(new URL(`/api/v1/decisions/${number}`, page.url()).href);
  const { unixMs } = (await answer.json()) as { unixMs: number };
  await visit.shows('.why pre', new RegExp(`"at": ${unixMs}`));
  await page.keyboard.press('Escape');
  await visit.shows('.why .when', /the newest decision/);
  await visit.shows('.why summary', new RegExp(`seen by decision (?!${number}$)\\d+$`));
  visit.blameless();
});

test('looking back, what is of now says so', async () => {
  const url = await madeUp(cleanup, 'few');
  const visit = await Visit.to(browser, cleanup, `${url}#/checkout`);
  const { page } = visit;
  await visit.shows('.holding', /paused at 4 replicas by an operator since \d\d:\d\d:\d\d/i);
  assert.equal(await visit.has('.of-now'), false);
  const now = Date.now();
  await page.goto(`${url}#/checkout?since=${now - 600_000}&until=${now - 60_000}`);
  await visit.shows('.of-now', /^Now/);
  await visit.shows('.holding', /paused at 4 replicas by an operator, until/i);
  await visit.shows('.liveness', /looking back/);
  await visit.accessible('looking back');

  // One that ends in the future goes on.
  await page.goto(`${url}#/shop?since=${now - 600_000}&until=${now + 3_600_000}`);
  await visit.shows('.liveness', /^live$/);
  assert.equal(await visit.has('.of-now'), false);
  await eventually(
    'samples',
    async () => Number(await page.locator('.cursor').getAttribute('max')) > 30,
  );
  assert.equal(await page.locator('.without').textContent(), '', 'and does not end without data');
  const time = () => page.locator('.cursor').getAttribute('aria-valuetext');
  const first = await time();
  await eventually('it goes on', async () => (await time()) !== first, 12);
  visit.blameless();
});

test('opening a decision is said, and the focus is never lost', async () => {
  const url = await madeUp(cleanup, 'few', { AT });
  const visit = await Visit.to(browser, cleanup, `${url}#/shop?range=1h`);
  const { page } = visit;
  const marks = page.locator('.marks button');
  await eventually('marks', () => marks.count());
  const panel = await marks.last().getAttribute('aria-controls');
  assert.equal(await page.locator(`[id="${panel}"]`).count(), 1);
  for (const text of await marks.allInnerTexts()) assert.match(text, /^\d*\+?[▲▼◆]$/);
  await marks.last().click();
  const said = page.locator('.why [role=status]');
  const pattern = /^Decision of \d\d:\d\d:\d\d: \d+ → \d+ replicas?, \S/;
  await eventually('it is said', async () => pattern.test((await said.textContent())!));

  const earlier = page.getByRole('button', { name: 'The scaling event before' });
  await earlier.focus();
  for (let i = 0; i < 300; ++i) {
    if ((await earlier.getAttribute('aria-disabled')) === 'true') break;
    await page.keyboard.press('Enter');
  }
  assert.equal(await earlier.getAttribute('aria-disabled'), 'true', 'the oldest');
  await page.keyboard.press('Enter');
  assert.equal(await focused(page), 'The scaling event before');
  await visit.accessible('at the oldest');
  await page.getByRole('button', { name: 'Back to now' }).focus();
  await page.keyboard.press('Enter');
  await visit.shows('.why .when', /the newest decision/);
  assert.equal(await focused(page), 'why');
  assert.equal(await said.textContent(), '');

  // One of another service is not shown under this one.
  const { events } = (await (
    await fetch(`${url}api/v1/events?autoscaler=search&limit=100`)
  ).json()) as {
    events: { decision: number | null }[];
  };
  const other = events.find(({ decision }) => decision !== null)!.decision!;
  await page.goto(`${url}#/shop?decision=${other}`);
  await visit.shows('.why', /is one of another service/);
  assert.equal(await visit.has('.steps'), false);
  visit.blameless();
});

test('the cursor stays at its time, and does not talk', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few')) + '#/shop');
  const { page } = visit;
  const cursor = page.locator('.cursor');
  await eventually('samples', async () => Number(await cursor.getAttribute('max')) > 50);
  assert.equal(await page.locator('output, .when[aria-live]').count(), 0);
  const changes = async (ms: number) =>
    page.evaluate(async (ms) => {
      const found: string[] = [];
      const slider = document.querySelector('.cursor')!;
      const watch = new MutationObserver(() => found.push(slider.getAttribute('aria-valuetext')!));
      watch.observe(slider, { attributes: true, attributeFilter: ['aria-valuetext'] });
      await new Promise((done) => setTimeout(done, ms));
      watch.disconnect();
      return found;
    }, ms);
  assert.ok((await changes(6000)).length <= 2, 'at rest it changes every few seconds');
  await cursor.focus();
  for (let i = 0; i < 20; ++i) await page.keyboard.press('ArrowLeft');
  assert.deepEqual(await changes(4000), [], 'what is looked at stays');
  const at = /^\d\d:\d\d:\d\d/.exec((await cursor.getAttribute('aria-valuetext'))!)![0];
  assert.equal(await visit.text('.chart .when'), at, 'beside the first legend');
  assert.equal(await visit.text('.below .when'), at);
  await cursor.blur();
  await visit.shows('.chart .when', /^now$/);

  // By the mouse.
  await page.locator('.chart .u-over').first().hover();
  await visit.shows('.chart .when', /^\d\d:\d\d:\d\d$/);
  await page.mouse.move(5, 5);
  await visit.shows('.chart .when', /^now$/);
  visit.blameless();
});

test('times without data are hatched, and the first chart has its times', async () => {
  const visit = await Visit.to(browser, cleanup, 'about:blank', {
    viewport: { width: 1360, height: 900 },
  });
  const { page } = visit;
  await page.route('**/history?*', async (route) =>
    route.fulfill({ json: { stepMs: 15_000, samples: [] } }),
  );
  await page.goto((await madeUp(cleanup, 'few')) + '#/shop');
  await visit.shows('.state', /./);
  await eventually('a hatch', async () => (await points(page, 'Load', [0xaa, 0xb3, 0xc0])) > 500);
  // As far down as its axis: 22 px more than the chart.
  const canvas = page.locator('.chart canvas').first();
  assert.equal(await canvas.evaluate((each) => each.clientHeight), 172);
  const box = (await canvas.boundingBox())!;
  assert.ok(box.y + box.height < 900, 'without scrolling');
  assert.deepEqual(visit.complaints, []);
});

test('the form of a time is closed by another range and by Esc; arrows pass it', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few')) + '#/shop');
  const { page } = visit;
  await visit.shows('.liveness', /^live$/);
  const custom = page.getByLabel('A time of your choice');
  const short = page.getByLabel('The last 15 minutes, live');
  await custom.check();
  assert.equal(await focused(page), 'From');
  await short.check();
  assert.equal(await visit.has('.custom'), false);
  await custom.check();
  await page.keyboard.press('Escape');
  assert.equal(await visit.has('.custom'), false);
  assert.equal(await short.isChecked(), true);
  assert.equal(await focused(page), 'The last 15 minutes, live');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await visit.has('.custom'), true);
  assert.equal(await focused(page), 'A time of your choice');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(page), 'The last 7 days, live');
  await eventually('7 days', () => page.url().includes('range=7d'));

  // Looked at closer, Esc goes back to where that was done.
  await eventually(
    'samples',
    async () => Number(await page.locator('.cursor').getAttribute('max')) > 500,
  );
  const box = (await page.locator('.chart .u-over').first().boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 45, { steps: 5 });
  await page.mouse.up();
  await eventually('closer', () => page.url().includes('since='));
  await page.locator('body').press('Escape');
  await eventually('7 days again', () => page.url().includes('range=7d'));
  visit.blameless();
});

test('keys that are named work, and long names have room', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'one'));
  const { page } = visit;
  await visit.shows('.keys', /^Keys: Esc back to now$/);
  await page.keyboard.press('/');
  assert.equal(await visit.has('.tools'), false);
  await page.goto((await madeUp(cleanup, 'few')) + '#/shop');
  await visit.shows('.keys', /^Keys: ↑↓ services, Esc/);
  await page.goto(await madeUp(cleanup, 'many'));
  await visit.shows('.keys', /^Keys: \/ find, ↑↓ services, Esc/);
  await page.goto(await madeUp(cleanup, 'hostile'));
  const long = page.locator('.overview .name', { hasText: 'aaaa' });
  await long.waitFor();
  assert.equal(await long.getAttribute('title'), 'a'.repeat(253));
  assert.ok((await long.boundingBox())!.height > 30, 'two lines of it');
  assert.deepEqual(visit.complaints, []);
});

test('marked output stays marked while more is written', async () => {
  const visit = await Visit.to(browser, cleanup, 'about:blank');
  const { page } = visit;
  let end = 0;
  await page.route('**/output*', (route) => {
    const text = `line ${end}\n`;
    end += 1;
    return route.fulfill({ json: { text, end } });
  });
  await page.goto((await madeUp(cleanup, 'few')) + '#/shop');
  await page.locator('.replicas button[aria-expanded]').first().click();
  await visit.shows('.output pre', /line 1/);
  await page.locator('.output pre').evaluate((pre) => getSelection()!.selectAllChildren(pre));
  const marked = () => page.evaluate(() => getSelection()!.toString());
  const before = await marked();
  assert.match(before, /^line 0/);
  await eventually('two more lines', async () => {
    const last = Number(
      /line (\d+)\s*$/.exec((await page.locator('.output pre').textContent())!)![1],
    );
    return last >= Number(/line (\d+)\s*$/.exec(before)![1]) + 2;
  });
  assert.ok((await marked()).startsWith(before.trimEnd()));
  assert.deepEqual(visit.complaints, []);
});

test('on 320 pixels nothing is cut off', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few')) + '#/reports', {
    viewport: { width: 320, height: 700 },
  });
  const { page } = visit;
  await visit.shows('.replicas thead', /In flight/);
  await page.locator('.replicas button[aria-expanded]').first().click();
  await visit.shows('.output pre', /GET/);
  const widths = () =>
    page.evaluate(() => {
      const scroll = document.querySelector('.replicas .scroll')!;
      return [scroll.scrollWidth - scroll.clientWidth, document.documentElement.scrollWidth];
    });
  assert.deepEqual(await widths(), [0, 320]);
  await visit.accessible('320 px');
  visit.blameless();
});

test('while it is not connected nothing looks well', async () => {
  const wire = await Wire.to(await madeUp(cleanup, 'one'), cleanup);
  const visit = await Visit.to(browser, cleanup, wire.url);
  await visit.shows('.liveness', /^live$/);
  wire.set('cut');
  await visit.shows('.banner', /Not connected/, 15);
  const [muted, ...found] = await visit.page.evaluate(() =>
    ['.address', '.overview .word', '.state', '.replicas [data-state="ready"]'].map(
      (each) => getComputedStyle(document.querySelector(each)!).color,
    ),
  );
  // Grey, or what is worse than well.
  const green = 'rgb(23, 115, 74)';
  assert.equal(found[2], muted);
  assert.ok(!found.includes(green), JSON.stringify(found));
  visit.blameless();
});

test('what comes late is said to be late, and not connected is since then', async () => {
  const wire = await Wire.to(await madeUp(cleanup, 'many'), cleanup);
  const visit = await Visit.to(browser, cleanup, wire.url, {
    viewport: { width: 360, height: 700 },
    timezoneId: 'UTC',
  });
  await visit.shows('.liveness', /^live$/);
  const height = () => visit.page.locator('.top').evaluate((top) => top.clientHeight);
  const before = await height();
  wire.rate = 100_000; // about a third of what is told
  await visit.shows('.liveness', /^live, [7-9] s behind$/, 60);
  assert.equal(await visit.page.evaluate(() => document.documentElement.scrollWidth), 360);
  assert.equal(await height(), before, 'nothing moves');
  await visit.accessible('late');
  const cutAt = Date.now();
  wire.set('cut');
  await visit.shows('.banner', /Not connected/, 15);
  const [, since] = /since (\d\d:\d\d:\d\d)\./.exec(await visit.text('.banner'))!;
  const day = new Date(cutAt).toISOString().slice(0, 11);
  const ago = (cutAt - Date.parse(`${day}${since}Z`) + 86_400_000) % 86_400_000;
  assert.ok(ago > 4000 && ago < 60_000, `${ago} ms before it was cut`);
  visit.blameless();
});

test('a service that goes and comes back has its past again', async () => {
  const [few, one] = [await madeUp(cleanup, 'few'), await madeUp(cleanup, 'one')];
  const wire = await Wire.to(few, cleanup);
  const visit = await Visit.to(browser, cleanup, `${wire.url}#/shop`);
  const services = visit.page.locator('.overview li');
  const behind = async (target: string, count: number) => {
    wire.target = target;
    wire.set('cut');
    wire.set('pass');
    await eventually(`${count} services`, async () => (await services.count()) === count);
  };
  const asked = (name: string) =>
    wire.asked.filter((each) => each.includes(`/${name}/history`)).length;
  const lines = visit.page.locator('.overview .line[d*="L"]');
  await eventually('the past of each', async () => (await lines.count()) === 6);
  assert.equal(asked('checkout'), 1);
  await behind(one, 1);
  await behind(few, 6);
  await eventually('its past again', () => asked('checkout') === 2);
  await behind(few, 6);
  await eventually('and what it missed', () => asked('checkout') === 3);
  visit.blameless();
});
