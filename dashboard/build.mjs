// Builds the page into dist/, or into the folder that is named.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, 'dist'));

await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: [
    { in: 'src/main.ts', out: 'app' },
    { in: 'src/app.css', out: 'app' },
  ],
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  charset: 'utf8',
  legalComments: 'none',
  banner: {
    js: '/*! Headroom, Apache-2.0. With uPlot, (c) Leon Sorokin, MIT: https://github.com/leeoniya/uPlot */',
  },
  outdir: out,
  logLevel: 'warning',
});
for (const file of ['index.html', 'favicon.svg'])
  await copyFile(path.join(here, 'src', file), path.join(out, file));
