// Runs the tests: the pure parts, then the page in Debian's Chromium.
//
//   node test/run.mjs [unit|browser]…       what is named, else all
//
// The page is that of dist/. Programs come from the environment as in tests/integration: HEADROOM,
// EXAMPLE_SERVICE, LOAD; CHROMIUM where it is not /usr/bin/chromium.
import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '../build/test');
const kinds = process.argv.length > 2 ? process.argv.slice(2) : ['unit', 'browser'];

const sources = kinds.flatMap((kind) =>
  readdirSync(path.join(here, kind))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join(here, kind, name)),
);
rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: sources,
  outdir: out,
  outbase: here,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  packages: 'external',
  logLevel: 'warning',
});
const files = sources.map((source) =>
  path.join(out, path.relative(here, source)).replace(/\.ts$/, '.mjs'),
);
// One after the other: a browser and a load beside another's would be slow, not wrong.
const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', ...files], {
  stdio: 'inherit',
  cwd: path.join(here, '..'),
  env: { ...process.env, DASHBOARD: path.join(here, '..') },
});
process.exit(status ?? 1);
