// Takes docs/dashboard-light.png and -dark.png: npm run screenshots.
//
// Of a real run: the program of build/release, five services, a quarter of an hour of real load, which
// is what the page shows. MINUTES=1 is quicker, for a look at the script.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.join(here, '../..');
const program = (variable, file) => process.env[variable] ?? path.join(top, 'build/release', file);
const headroom = program('HEADROOM', 'src/headroom');
const service = program('EXAMPLE_SERVICE', 'examples/cpp-service/cpp-service');
const load = program('LOAD', 'bench/headroom-load');
const seconds = 60 * Number(process.env.MINUTES ?? 15.5);

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

// Name, the service's flags, what it scales by, and its load: the part of the time, requests a second.
const services = [
  [
    'shop',
    ['--wait', '20ms'],
    'minReplicas: 1\n  concurrency: { target: 10, window: 30s }\n  objective: { latency: 60ms }',
    [
      [0, 300],
      [0.08, 320],
      [0.14, 420],
      [0.16, 1500],
      [0.3, 1550],
      [0.31, 420],
      [0.45, 260],
      [0.6, 300],
      [0.62, 300],
      [0.625, 1050],
      [0.7, 1000],
      [0.71, 320],
      [0.78, 330],
      [0.785, 900],
      [0.83, 850],
      [0.84, 420],
      [1.05, 560],
    ],
  ],
  [
    'search',
    ['--cpu', '1ms'],
    'minReplicas: 1\n  metrics: [{ type: Resource, resource: { name: cpu, target: ' +
      '{ type: Utilization, averageUtilization: 60 } } }]',
    [
      [0, 60],
      [0.3, 90],
      [0.4, 180],
      [0.6, 170],
      [0.7, 80],
      [1.05, 90],
    ],
  ],
  [
    'images',
    ['--wait', '80ms', '--size', '64KiB'],
    'minReplicas: 0\n  concurrency: { target: 4, window: 30s }\n  cooldownPeriod: 30s',
    [
      [0, 0],
      [0.2, 0],
      [0.21, 40],
      [0.3, 60],
      [0.31, 0],
      [0.66, 0],
      [0.67, 50],
      [1.05, 90],
    ],
  ],
  [
    'mail',
    ['--wait', '5ms'],
    'minReplicas: 0\n  concurrency: { target: 10, window: 10s }\n  cooldownPeriod: 20s',
    [
      [0, 0],
      [0.5, 0],
      [0.51, 20],
      [0.55, 20],
      [0.56, 0],
      [1.05, 0],
    ],
  ],
  [
    'checkout',
    ['--wait', '15ms'],
    'minReplicas: 2\n  concurrency: { metric: rps, target: 100, window: 30s }',
    [
      [0, 150],
      [0.5, 260],
      [1.05, 180],
    ],
  ],
];

const folder = mkdtempSync(path.join(tmpdir(), 'headroom-screenshots-'));
const children = [];
const start = (command, ...args) => {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  return child;
};

async function run() {
  const ports = await Promise.all(services.map(freePort));
  const admin = await freePort();
  const documents = services.map(
    ([name, flags, spec], i) => `apiVersion: headroom.dev/v1alpha1
kind: Autoscaler
metadata: { name: ${name} }
spec:
  target: { process: { command: ${JSON.stringify([service, '--port', '$(PORT)', ...flags])} } }
  gateway: { listen: "127.0.0.1:${ports[i]}" }
  maxReplicas: 8
  ${spec}
`,
  );
  const file = path.join(folder, 'services.yaml');
  writeFileSync(file, documents.join('---\n'));
  const journal = path.join(folder, 'journal.db');
  const running = start(
    headroom,
    'run',
    '--journal',
    journal,
    '--admin',
    `127.0.0.1:${admin}`,
    file,
  );
  let said = '';
  running.stderr.on('data', (data) => (said = `${said}${data}`.slice(-2000)));
  await pause(2000);
  if (running.exitCode !== null) throw new Error(said);
  services.forEach(([, , , points], i) => {
    const schedule = points.map(([part, rate]) => `${(part * seconds).toFixed(1)}s:${rate}`);
    start(load, `http://127.0.0.1:${ports[i]}/`, '--quiet', '--schedule', schedule.join(','));
  });
  console.log(`the load runs for ${(seconds / 60).toFixed(1)} min`);
  await pause(seconds * 1000);
  return `http://127.0.0.1:${admin}/`;
}

async function take(browser, url, colorScheme) {
  const page = await browser.newPage({
    viewport: { width: 1360, height: 900 },
    colorScheme,
    timezoneId: 'UTC',
  });
  await page.goto(`${url}#/shop?range=15m`);
  // The newest that has more than one step: a burst.
  await page.locator('.marks [data-sign="▲"]').last().click();
  await page.locator('.steps li').nth(1).waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await page.mouse.move(0, 0);
  await pause(2000);
  const file = path.join(top, `docs/dashboard-${colorScheme}.png`);
  await page.screenshot({ path: file });
  // Debian's pngquant, where it is: a third of the size.
  spawnSync('pngquant', ['--force', '--ext', '.png', '--strip', '128', file]);
  const { size } = statSync(file);
  console.log(`${path.basename(file)}: ${size} bytes`);
  if (size > 150_000) process.exitCode = 1;
}

try {
  const url = await run();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  for (const colorScheme of ['light', 'dark']) await take(browser, url, colorScheme);
  await browser.close();
} finally {
  for (const child of children.reverse()) child.kill();
  await pause(2000); // its replicas stop
  rmSync(folder, { recursive: true, force: true });
}
