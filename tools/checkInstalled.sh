#!/usr/bin/env bash
# Packs polybeam, installs it in an empty project as README.md says, and runs programs there: of ECMAScript modules, of CommonJS,
# bundled for a browser, and the command. Their types are checked with skipLibCheck off, as Node and as bundlers resolve them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

cd "$here"
npm run --silent build
npm pack --silent --pack-destination "$project" >/dev/null
if tar -tzf "$project"/*.tgz | grep -E '\.map$|\.polybeam|\.test\.'; then echo 'the package holds what it should not'; exit 1; fi

# The line of README.md, with the path of the packed file.
install=$(grep -m 1 -oE 'npm install .*PATH/polybeam-.*tgz$' README.md)
cd "$project"
echo '{ "name": "a-user", "version": "1.0.0", "type": "module" }' >package.json
bash -c "${install%PATH/*} --no-audit --no-fund --no-save ./*.tgz" >/dev/null
echo "$(du -sm node_modules | cut -f1) MiB installed"

cat >program.ts <<'END'
import * as tf from '@tensorflow/tfjs-core';
import { compile, type GenerationOptions, loadModel, PolybeamError, type Tensors } from 'polybeam';
import { corpusBleu } from 'polybeam/eval';

declare const process: { argv: string[] };

const options: GenerationOptions = { numBeams: 4 };
const model = await loadModel('en-fr-software');
const [translation] = await model.translate(['This package contains the documentation.'], options);
await model.dispose();

const program = await compile(
  ({ x }): Tensors => ({ y: tf.matMul(x, x, false, true) }),
  { x: { type: 'float32', shape: ['rows', 2] } },
  { device: process.argv.includes('--eager') ? 'tfjs:cpu' : 'cpu' },
);
const { y } = await program.run({ x: { type: 'float32', shape: [1, 2], data: Float32Array.of(3, 4) } });
await program.dispose();

const missing: unknown = await loadModel('no-such-model').catch((error: unknown) => error);
const { score } = corpusBleu([translation], [[translation]]);
console.log(translation, y.data[0], missing instanceof PolybeamError && missing.code, score.toFixed(0));
END
cat >program.cts <<'END'
import polybeam = require('polybeam');
import manifest = require('polybeam/package.json');

async function main() {
  const model = await polybeam.loadModel('summarize-software');
  const [summary] = await model.translate(['The program draws graphs of functions and prints them.']);
  await model.dispose();
  console.log(summary.length > 0, manifest.name);
}
void main();
END

types() {
  echo "{ \"compilerOptions\": { \"strict\": true, \"target\": \"es2022\", \"types\": [], \"skipLibCheck\": false, $1 }, \"files\": $2 }" >tsconfig.json
  node "$here/node_modules/typescript/bin/tsc"
}
types '"module": "nodenext", "outDir": "made"' '["program.ts", "program.cts"]'
types '"module": "esnext", "moduleResolution": "bundler", "noEmit": true' '["program.ts"]'

expect() { [ "$1" = "$2" ] || { echo "wanted: $2"; echo "found:  $1"; exit 1; }; }
wanted=$(grep -m 1 '^> ' "$here/README.md" | cut -c3-)
expect "$(node made/program.js)" "$wanted 25 FILE_NOT_FOUND 100"
expect "$(node made/program.js --eager)" "$wanted 25 FILE_NOT_FOUND 100"
# Node 20.19 and later load modules by require.
if node -e 'process.exit(process.features.require_module ? 0 : 1)'; then
  expect "$(node made/program.cjs)" 'true polybeam'
fi
expect "$(node -p "import('polybeam').then(({ loadModel }) => console.log(typeof loadModel)), ''" | tail -n 1)" function
expect "$(npx --no-install polybeam translate --to fr 'This package contains the documentation.' 2>&1)" "$wanted"

# What a browser loads has nothing of Node in it.
"$here/node_modules/.bin/esbuild" program.ts --bundle --platform=browser --format=esm --minify --outfile=made/browser.js --log-level=warning
echo "$(gzip -c made/browser.js | wc -c | awk '{ print int($1 / 1000) }') kB gzip in a browser"
