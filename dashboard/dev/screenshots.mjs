// Takes docs/dashboard-light.png and -dark.png of the made-up scenario: npm run screenshots.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const server = spawn(process.execPath, [path.join(here, 'server.mjs'), 'few', '0'], {
  env: {
    ...process.env,
    AT: '2026-11-25T09:17:30Z',
    DASHBOARD_DIST: path.join(here, '../dist'),
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [said] = await once(server.stdout, 'data');
const url = /http:\S+/.exec(String(said))[0];
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args,
});
try {
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({
      viewport: { width: 1360, height: 900 },
      colorScheme,
      timezoneId: 'UTC',
    });
    await page.goto(`${url}#/shop?range=1h`);
    // The newest that has more than one step: a burst.
    await page.locator('.marks [data-sign="▲"]').last().click();
    await page.locator('.steps li').nth(1).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
    await page.mouse.move(0, 0);
    await page.waitForTimeout(2000);
    const file = path.join(here, `../../docs/dashboard-${colorScheme}.png`);
    await page.screenshot({ path: file });
    // Debian's pngquant, where it is: a third of the size.
    spawnSync('pngquant', ['--force', '--ext', '.png', '--strip', '128', file]);
    const { size } = statSync(file);
    console.log(`${path.basename(file)}: ${size} bytes`);
    if (size > 150_000) process.exitCode = 1;
  }
} finally {
  await browser.close();
  server.kill();
}
