import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

/*
 * Makes dist/: the program, the library for Node and the library for browsers. Each is a few files instead of 400, because
 * opening files takes most of the time of a start. `npm run build` makes the type declarations as well.
 */

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is not bundled for Node: packages that are native, or read files of their own, and what few commands need. */
const external = [
  '@observablehq/plot',
  '@tensorflow/tfjs-backend-cpu',
  'fasttext.wasm.js',
  'koffi',
  'linkedom',
  'node-fetch',
  'onnxruntime-node',
  'sentencepiece-js',
  'tokenizers',
  'tsx',
];

/** Messages of zod in languages other than English, which nothing here asks for. @type {import('esbuild').Plugin} */
const english = {
  name: 'english',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ resolveDir }) =>
      /node_modules\/zod\//.test(resolveDir) ? { path: join(resolveDir, '../locales/en.js') } : undefined,
    ),
};

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  chunkNames: 'part-[hash]',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
  metafile: true,
};

/** @type {import('esbuild').BuildOptions} */
const node = {
  ...common,
  platform: 'node',
  target: 'node20.11',
  // For packages in CommonJS that are bundled.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
};

const fastTextWorker = 'src/node/fastTextWorker.ts';

/** @type {import('esbuild').BuildOptions} */
const program = {
  ...node,
  entryPoints: { main: 'src/cli/main.ts', fastTextWorker },
  external,
  plugins: [english],
};

/** @type {import('esbuild').BuildOptions} */
const library = {
  ...node,
  entryPoints: { node: 'src/node.ts', eval: 'eval/index.ts', fastTextWorker },
  // Functions that a program gives to compile() use this package too, and a second copy of it warns of the first.
  external: [...external, '@tensorflow/tfjs-core'],
};

/** @type {import('esbuild').BuildOptions} */
const browser = {
  ...common,
  entryPoints: { index: 'src/index.ts', eval: 'eval/index.ts' },
  platform: 'neutral',
  target: 'es2022',
  packages: 'external',
};

/** Makes dist/ without declarations; it is there as a whole or as before. */
export async function build() {
  const made = mkdtempSync(join(root, 'dist.'));
  try {
    const [{ metafile }] = await Promise.all([
      bundle({ ...program, outdir: join(made, 'cli') }),
      bundle({ ...library, outdir: join(made, 'node') }),
      bundle({ ...browser, outdir: join(made, 'browser') }),
    ]);
    writeFileSync(join(made, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)));
    chmodSync(made, 0o755);
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    // Another process may have been quicker.
    if (!existsSync(join(root, 'dist'))) renameSync(made, join(root, 'dist'));
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The licenses of the packages whose files are bundled. */
function licences(files) {
  const packages = new Set(
    files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.slice(0, 1) ?? []),
  );
  return [...packages]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `License: ${license}`;
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
