// Measures the page (test/browser/measure.ts) and prints a table. Programs as in run.mjs.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '../build/measure/measure.mjs');
await build({
  entryPoints: [path.join(here, 'browser/measure.ts')],
  outfile: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [out], {
  stdio: 'inherit',
  env: { ...process.env, DASHBOARD: path.join(here, '..') },
});
process.exit(status ?? 1);
