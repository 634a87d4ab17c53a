/** The page in Chromium, what it draws from, and a line between the two that can be cut. */

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const dashboard = process.env['DASHBOARD']!; // set by test/run.mjs
const axe = readFileSync(
  createRequire(path.join(dashboard, 'package.json')).resolve('axe-core/axe.min.js'),
  'utf8',
);

export const programs = {
  headroom: process.env['HEADROOM'],
  service: process.env['EXAMPLE_SERVICE'],
  load: process.env['LOAD'],
};

/** The first true value of `condition`; fails after that many seconds. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T> | T,
  seconds = 30,
): Promise<NonNullable<T>> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < until, `within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Everything that is started is stopped at the end, the last one first. */
export class Cleanup {
  private readonly tasks: (() => unknown)[] = [];

  add(task: () => unknown): void {
    this.tasks.push(task);
  }

  async run(): Promise<void> {
    for (const task of this.tasks.splice(0).reverse()) await task();
  }

  folder(): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'headroom-dashboard-'));
    this.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }
}

export class Program {
  readonly process: ChildProcess;
  private readonly logPath: string;

  constructor(cleanup: Cleanup, folder: string, command: string[], env: NodeJS.ProcessEnv = {}) {
    this.logPath = path.join(folder, `log-${Math.random().toString(36).slice(2)}`);
    const log = openSync(this.logPath, 'w');
    this.process = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', log, log],
      cwd: folder,
      env: { ...process.env, ...env },
    });
    cleanup.add(() => this.end('SIGKILL'));
  }

  log = () => readFileSync(this.logPath, 'utf8');
  ended = () => this.process.exitCode !== null || this.process.signalCode !== null;

  async said(pattern: RegExp, seconds = 30): Promise<RegExpMatchArray> {
    const found = await eventually(
      `${pattern} in the log`,
      () => pattern.exec(this.log()) ?? (this.ended() ? 'ended' : null),
      seconds,
    );
    assert.notEqual(found, 'ended', `it ended: ${this.log()}`);
    return found as RegExpMatchArray;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.ended()) return;
    this.process.kill(signal);
    await eventually(`the end by ${signal}`, this.ended, 60);
  }
}

/** The made-up scenario's address (dev/server.mjs), with the page of dist/. */
export async function madeUp(
  cleanup: Cleanup,
  scenario: string,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const program = new Program(
    cleanup,
    cleanup.folder(),
    [process.execPath, path.join(dashboard, 'dev/server.mjs'), scenario, '0'],
    {
      ...env,
      DASHBOARD_DIST: path.join(dashboard, 'dist'),
    },
  );
  return (await program.said(/listening on (\S+)/))[1]!;
}

/** A proxy that lets everything pass, at once or slowly, refuses all, or says nothing any more. */
export class Wire {
  mode: 'pass' | 'cut' | 'silent' = 'pass';
  rate = Infinity; // bytes a second, of each answer
  url = '';
  readonly asked: string[] = []; // paths, in order
  private readonly server: http.Server;
  private readonly sockets = new Set<import('node:net').Socket>();

  constructor(public target: string) {
    this.server = http.createServer((request, response) => this.relay(request, response));
    this.server.on('connection', (socket) => {
      if (this.mode === 'cut') socket.destroy();
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async to(target: string, cleanup: Cleanup): Promise<Wire> {
    const wire = new Wire(target);
    await new Promise<void>((done) => wire.server.listen(0, '127.0.0.1', done));
    wire.url = `http://127.0.0.1:${(wire.server.address() as AddressInfo).port}/`;
    cleanup.add(() => {
      wire.set('cut');
      wire.server.close();
    });
    return wire;
  }

  set(mode: Wire['mode']): void {
    this.mode = mode;
    if (mode === 'cut') for (const socket of this.sockets) socket.destroy();
  }

  private relay(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.asked.push(request.url!);
    if (this.mode === 'silent') return;
    const target = new URL(this.target);
    const headers = { ...request.headers, host: target.host };
    delete headers.origin;
    const onward = http.request(
      {
        host: target.hostname,
        port: target.port,
        path: request.url,
        method: request.method,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.on('data', (data: Buffer) => {
          if (this.mode !== 'silent') response.write(data);
          if (this.rate === Infinity) return;
          answer.pause();
          setTimeout(() => answer.resume(), (1000 * data.length) / this.rate);
        });
        answer.on('end', () => response.end());
        answer.on('error', () => response.destroy());
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });

/** A page, and what it must never do. */
export class Visit {
  readonly complaints: string[] = [];
  readonly elsewhere: string[] = [];

  private constructor(readonly page: Page) {}

  static async to(
    browser: Browser,
    cleanup: Cleanup,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 1000 },
      ...options,
    });
    cleanup.add(() => context.close());
    const page = await context.newPage();
    const visit = new Visit(page);
    page.on('pageerror', (error) => visit.complaints.push(String(error.stack)));
    page.on('console', (message) => {
      // A lost connection is the browser's own line.
      if (message.type() === 'error' && !/net::ERR_/.test(message.text()))
        visit.complaints.push(message.text());
    });
    page.on('dialog', (dialog) => {
      visit.complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin)
        visit.elsewhere.push(request.url());
    });
    await page.goto(url);
    return visit;
  }

  /** No script failed, nothing was blocked, nothing was asked of anybody else. */
  blameless(): void {
    assert.deepEqual(this.complaints, []);
    assert.deepEqual(this.elsewhere, []);
  }

  text = (selector: string) => this.page.locator(selector).first().innerText({ timeout: 5000 });
  has = (selector: string) => this.page.locator(selector).first().isVisible();
  shows = (selector: string, pattern: RegExp, seconds = 30) =>
    eventually(
      `${selector} shows ${pattern}`,
      async () => (await this.has(selector)) && pattern.test(await this.text(selector)),
      seconds,
    );

  /** axe-core's opinion of the page as it is. */
  async accessible(what: string): Promise<void> {
    // Its own code is not under the page's policy: it is evaluated by the debugger.
    await this.page.evaluate(axe);
    const violations = await this.page.evaluate(async () => {
      const found = await (
        window as unknown as {
          axe: {
            run(): Promise<{
              violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
            }>;
          };
        }
      ).axe.run();
      return found.violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.slice(0, 3).map((node) => `${node.html}: ${node.failureSummary}`),
      }));
    });
    assert.deepEqual(violations, [], what);
  }
}

/** Frames that were drawn, and the share of a CPU that the main thread took: others' load is not in it. */
export async function framesOf(
  page: Page,
  seconds: number,
): Promise<{ frames: number; longest: number; share: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () =>
    (await session.send('Performance.getMetrics')).metrics.find(
      ({ name }) => name === 'TaskDuration',
    )!.value;
  const before = await busy();
  const drawn = await page.evaluate(
    (ms) =>
      new Promise<{ frames: number; longest: number }>((done) => {
        const from = performance.now();
        let [frames, longest, last] = [0, 0, from];
        const frame = (now: number) => {
          ++frames;
          longest = Math.max(longest, now - last);
          last = now;
          if (now - from < ms) requestAnimationFrame(frame);
          else done({ frames, longest });
        };
        requestAnimationFrame(frame);
      }),
    seconds * 1000,
  );
  return { ...drawn, share: ((await busy()) - before) / seconds };
}

/** One run of `headroom run`, as tests/integration has it. */
export class Headroom {
  private constructor(
    readonly program: Program,
    readonly url: string, // of the admin's door
    readonly socket: string,
  ) {}

  static async run(cleanup: Cleanup, folder: string, what: string[]): Promise<Headroom> {
    const program = new Program(cleanup, folder, [
      programs.headroom!,
      'run',
      '--journal',
      path.join(folder, 'journal.db'),
      ...what,
    ]);
    const url = (await program.said(/admin: (http:\/\/\S+)/))[1]!;
    return new Headroom(program, url.replace(/\/?$/, '/'), path.join(folder, 'admin.sock'));
  }

  gateway = async () => `http://${(await this.program.said(/: listening on (\S+)/))[1]}/`;

  async get<T>(what: string): Promise<T> {
    const answer = await fetch(`${this.url}api/v1/${what}`);
    assert.equal(answer.status, 200, what);
    return (await answer.json()) as T;
  }

  /** By the Unix socket, which needs no token. */
  post(what: string, body: unknown = {}): Promise<number> {
    return new Promise((done, failed) => {
      const text = JSON.stringify(body);
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        host: 'localhost',
      };
      http
        .request(
          { socketPath: this.socket, path: `/api/v1/${what}`, method: 'POST', headers },
          (answer) => {
            answer.resume();
            answer.on('end', () => done(answer.statusCode!));
          },
        )
        .on('error', failed)
        .end(text);
    });
  }
}

/** Requests at a rate, in the background, until they are stopped. */
export const load = (cleanup: Cleanup, folder: string, url: string, schedule: string) =>
  new Program(cleanup, folder, [programs.load!, url, '--quiet', '--schedule', schedule]);
