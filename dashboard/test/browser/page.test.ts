/** The page over a made-up scenario: what a real Headroom never says, or takes a week to say. */

import assert from 'node:assert/strict';
import test, { after, before, afterEach } from 'node:test';
import type { Browser } from 'playwright-core';
import { Cleanup, eventually, framesOf, madeUp, openBrowser, Visit, Wire } from './harness.js';

let browser: Browser;
const cleanup = new Cleanup();

before(async () => {
  browser = await openBrowser();
});
afterEach(() => cleanup.run());
after(() => browser.close());

test('names and output of anybody are text', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'hostile'));
  const { page } = visit;
  const links = page.locator('.overview li a');
  await eventually('7 services', async () => (await links.count()) === 7);
  for (let i = 0; i < 7; ++i) {
    const name = await links.nth(i).locator('.name').textContent();
    await links.nth(i).click();
    await eventually(
      `the heading ${name}`,
      async () => (await page.locator('h1').first().textContent()) === name,
    );
    await visit.shows('.steps', /\d/);
    await eventually('its charts', async () => (await page.locator('.chart canvas').count()) === 5);
  }
  // A name with all that an address could trip over: its history and output are its own.
  await page.locator('.overview a', { hasText: 'x?y=1#z&' }).click();
  await page.locator('.replicas button[aria-expanded]').first().click();
  await visit.shows('.output pre', /<\/pre><script>/);
  const output = await page.locator('.output pre').textContent();
  assert.doesNotMatch(output!, /[\x00-\x08\x1b\u202e]/);
  await page.reload();
  await visit.shows('h1', /\.\.\/\.\.\/x\?y=1#z&é %2f/);

  const found = await page.evaluate(() => ({
    scripts: document.scripts.length,
    images: document.images.length,
    hacked: 'hacked' in window,
    styles: document.querySelectorAll('style').length,
  }));
  assert.deepEqual(found, { scripts: 1, images: 0, hacked: false, styles: 0 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, 'no name makes the page wider than the window');
  visit.blameless();
});

test('200 services: found by a few letters, and sixty frames a second', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'many'));
  const { page } = visit;
  await eventually(
    '200 services',
    async () => (await page.locator('.overview li').count()) === 200,
  );
  await visit.shows('.summary', /200 services/);

  const drawn = await eventually('sparklines', () =>
    page.locator('.overview .line[d*="L"]').count(),
  );
  assert.ok(drawn < 60, `only what is in view is drawn, not ${drawn}`);

  const { frames, longest, share } = await framesOf(page, 5);
  console.log(
    `# 5 s live with 200 services: ${frames} frames, the longest ${longest.toFixed(1)} ms, main thread ${(share * 100).toFixed(1)} %`,
  );
  assert.ok(share > 0 && share < 0.5, `the main thread takes ${share} of a CPU`);
  // A machine that does other things at the same time drops some.
  assert.ok(frames > 100, `${frames} frames in 5 s`);

  await page.keyboard.press('/');
  await page.keyboard.type('service-17');
  await eventually('11 are found', async () => (await page.locator('.overview li').count()) === 11);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await visit.shows('h1', /^service-170$/);
  await page.locator('.tools input[type=checkbox]').check();
  await eventually(
    'none needs attention or some do',
    async () => (await page.locator('.overview li').count()) < 11,
  );
  visit.blameless();
});

test('what goes from a list moves nothing of what stays', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'many'));
  const { page } = visit;
  const rows = page.locator('.overview li');
  await eventually('200 services', async () => (await rows.count()) === 200);
  await page.evaluate(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    new MutationObserver((changes) => {
      for (const change of changes)
        for (const node of change.addedNodes) moved.push(node.textContent ?? '');
    }).observe(document.querySelector('.overview ul')!, { childList: true });
  });
  await page.getByLabel('Find a service').fill('service-17');
  await eventually('11 are found', async () => (await rows.count()) === 11);
  assert.deepEqual(await page.evaluate(() => (window as unknown as { moved: [] }).moved), []);
  visit.blameless();
});

test('the keyboard reaches everything', async () => {
  const visit = await Visit.to(
    browser,
    cleanup,
    (await madeUp(cleanup, 'few')) + '#/shop?range=24h',
  );
  const { page } = visit;
  const focused = () =>
    page.evaluate(
      () =>
        document.activeElement?.getAttribute('aria-label') ??
        document.activeElement?.textContent ??
        '',
    );
  await eventually('marks', () => page.locator('.marks button').count());

  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'To the service');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');

  // The last mark is reached by Tab, the others by arrows; one opens its decision.
  await page.locator('.marks button[tabindex="0"]').focus();
  await page.keyboard.press('ArrowLeft');
  const mark = await focused();
  await page.keyboard.press('Enter');
  await eventually('a decision in the address', () => /decision=\d+/.test(page.url()));
  await visit.shows('.why .when', /the decision of/);
  assert.equal(await focused(), mark, 'the focus stays where it was');
  const first = await visit.text('.why .when');
  await page.getByRole('button', { name: 'The scaling event before' }).click();
  await eventually('another decision', async () => (await visit.text('.why .when')) !== first);
  await page.keyboard.press('Escape');
  await visit.shows('.why .when', /the newest decision/);

  // The cursor over all charts says what it is at.
  await page.locator('.cursor').focus();
  await page.keyboard.press('Home');
  const start = await page.locator('.cursor').getAttribute('aria-valuetext');
  assert.match(start!, /capacity \d+.*wanted \d+.*p99 [\d.]+ m?s.*memory [\d.]+ MiB/);
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await page.locator('.cursor').getAttribute('aria-valuetext'), start);

  // A service by arrows.
  await page.locator('.overview [aria-current]').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await visit.shows('h1', /^search$/);
  assert.match(page.url(), /range=24h/, 'the range stays');
  await page.goBack();
  await visit.shows('h1', /^shop$/);
  visit.blameless();
});

test('past capacity is that of its time, and an objective that was missed is tinted', async () => {
  const visit = await Visit.to(
    browser,
    cleanup,
    (await madeUp(cleanup, 'few')) + '#/shop?range=24h',
  );
  const { page } = visit;
  const cursor = page.locator('.cursor');
  await eventually('samples', async () => Number(await cursor.getAttribute('max')) > 500);
  const at = async (key: string) => {
    await cursor.focus();
    await page.keyboard.press(key);
    const text = (await cursor.getAttribute('aria-valuetext'))!;
    const number = (what: string) => Number(new RegExp(`${what} ([\\d.]+)`).exec(text)![1]);
    return { perReplica: number('capacity') / number('ready'), text };
  };
  // Its target was 10 until four hours ago, and is 7 now.
  assert.equal((await at('Home')).perReplica, 10);
  const { perReplica, text } = await at('End');
  assert.equal(perReplica, 7);
  assert.match(text, /objective at p99 60 ms, within [\d.]+ %/);

  // The ground of the latency chart has a colour of its own somewhere.
  const chart = page.locator('.chart', { hasText: 'Latency' });
  const tinted = await chart.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let found = 0; // #fdf0d8, --late-fill
    for (let i = 0; i < data.length; i += 4)
      if (data[i] === 0xfd && data[i + 1] === 0xf0 && data[i + 2] === 0xd8) ++found;
    return found;
  });
  assert.ok(tinted > 100, `${tinted} tinted pixels`);
  await visit.shows(
    '.head .objective',
    /Objective (kept|missed): [\d.]+ % of the requests within 60 ms/,
  );
  visit.blameless();
});

test('a time to look back at', async () => {
  const visit = await Visit.to(browser, cleanup, (await madeUp(cleanup, 'few')) + '#/shop', {
    timezoneId: 'Australia/Eucla',
  });
  const { page } = visit;
  await visit.shows('footer', /UTC\+8:45, Australia\/Eucla/);
  await page.getByLabel('The last 7 days, live').check();
  await eventually('the address says so', () => page.url().includes('range=7d'));
  await page.getByLabel('A time of your choice').check();
  const [from, to] = [
    page.getByLabel('From', { exact: true }),
    page.getByLabel('To', { exact: true }),
  ];
  const day = Date.now() - 86_400_000;
  const local = (unixMs: number) => new Date(unixMs + 8.75 * 3_600_000).toISOString().slice(0, 19);
  const until = local(day);
  await to.fill(until);
  await from.fill(until);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await visit.shows('.custom .problem', /after the beginning/);
  await from.fill(local(day - 3_600_000));
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await visit.shows('.liveness', /looking back/);
  const query = new URLSearchParams(page.url().split('?')[1]);
  assert.equal(Number(query.get('until')) - Number(query.get('since')), 3_600_000);
  // Given in local time, to the second.
  assert.ok(Math.abs(Number(query.get('until')) - (Date.now() - 86_400_000)) < 60_000);

  // A part of a chart drawn over is looked at closer.
  await eventually('samples', async () =>
    /between/.test((await page.locator('.plot').first().getAttribute('aria-label')) ?? ''),
  );
  const box = (await page.locator('.chart .u-over').first().boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 45, { steps: 5 });
  await page.mouse.up();
  await eventually('half of it', () => {
    const now = new URLSearchParams(page.url().split('?')[1]);
    return Math.abs(Number(now.get('until')) - Number(now.get('since')) - 1_800_000) < 60_000;
  });
  await page.locator('body').press('Escape');
  await eventually('the whole again', () => page.url().endsWith(query.toString()));
  await page.locator('body').press('Escape');
  await visit.shows('.liveness', /^live$/);
  visit.blameless();
});

for (const mode of ['cut', 'silent'] as const) {
  test(`a network that is ${mode} is said, and comes back by itself`, async () => {
    const wire = await Wire.to(await madeUp(cleanup, 'one'), cleanup);
    const visit = await Visit.to(browser, cleanup, wire.url);
    await visit.shows('.liveness', /^live$/);
    wire.set(mode);
    await visit.shows(
      '.banner',
      /Not connected to Headroom since \d\d:\d\d:\d\d.*Next try in \d+ s/,
      15,
    );
    assert.match(
      await visit.page.locator('[role=status]').first().innerText(),
      /Not connected/,
      'and said to a screen reader',
    );
    await visit.accessible('while it is not connected');
    wire.set('cut'); // what a stalled connection ends as
    wire.set('pass');
    await visit.shows('.liveness', /^live$/, 30);
    assert.equal(await visit.has('.banner'), false);
    await visit.shows('[role=status]', /Connected again/);
    visit.blameless();
  });
}

test('no violation that axe-core knows, light and dark, wide and narrow', async () => {
  const url = await madeUp(cleanup, 'few');
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1440, 375]) {
      const visit = await Visit.to(browser, cleanup, `${url}#/shop?range=24h`, {
        colorScheme,
        viewport: { width, height: 900 },
      });
      const { page } = visit;
      await eventually('marks', () => page.locator('.marks button').count());
      await page.locator('.marks button').last().click();
      await visit.shows('.why .when', /the decision of/);
      await page.locator('.why summary').click();
      await visit.shows('.why pre', /concurrency/);
      await page.locator('.as-table summary').first().click();
      await eventually('a table', async () => (await page.locator('.as-table td').count()) > 20);
      await page.locator('.replicas button').first().click();
      await visit.shows('.output pre', /GET \/cart/);
      await visit.accessible(`${colorScheme}, ${width} px`);
      // Paused, crashing, and asleep.
      for (const name of ['checkout', 'reports', 'mail']) {
        await page.goto(`${url}#/${name}`);
        await visit.shows('h1', new RegExp(name));
        await visit.accessible(`${name}, ${colorScheme}, ${width} px`);
      }
      if (width === 375) {
        await page.goto(`${url}#/`);
        await eventually('the list', () => visit.has('.overview'));
        await visit.accessible(`the list, ${colorScheme}`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 375);
      }
      visit.blameless();
    }
  }
});

test('the clock is the server’s, whatever this machine’s says', async () => {
  const AT = '2026-03-01T12:00:00Z';
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'one', { AT }), {
    timezoneId: 'UTC',
  });
  await eventually(
    'history of that time',
    async () => Number(await visit.page.locator('.cursor').getAttribute('max')) > 50,
  );
  await visit.page.locator('.cursor').focus();
  await visit.page.keyboard.press('End');
  assert.match(
    (await visit.page.locator('.cursor').getAttribute('aria-valuetext'))!,
    /^(11:59|12:0\d):\d\d:/,
  );
  assert.equal(await visit.text('.without').catch(() => ''), '');
  visit.blameless();
});

test('nothing runs: what to do is said', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'empty'));
  await visit.shows('main', /No service runs behind this Headroom/);
  await visit.shows('main', /headroom run --listen :8080/);
  await visit.accessible('empty');
  visit.blameless();
});

test('the colours can be chosen, and are kept', async () => {
  const visit = await Visit.to(browser, cleanup, await madeUp(cleanup, 'one'), {
    colorScheme: 'light',
  });
  const { page } = visit;
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await visit.shows('.liveness', /live/);
  const light = await ground();
  await page.locator('.theme').click();
  await page.locator('.theme').click();
  await visit.shows('.theme', /dark/);
  assert.notEqual(await ground(), light);
  await page.reload();
  await visit.shows('.theme', /dark/);
  assert.notEqual(await ground(), light);
  visit.blameless();
});
