/**
 * Records what the models of test/fixtures and models/ write under many options, and compares two such records to the bit:
 *   npx tsx tools/compareOutputs.ts record FILE [--lines 2000]
 *   npx tsx tools/compareOutputs.ts compare BEFORE AFTER
 * A change that shall keep outputs is recorded before and after. The models in models/ translate lines of ../shared/data/debian.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { PolybeamError } from '../src/errors.js';
import { type GenerationOptions, loadModel, type Model } from '../src/node.js';
import { outputCases } from './outputs/cases.js';

const fixtures = 'test/fixtures/models';

const { values, positionals } = parseArgs({
  options: { lines: { type: 'string', default: '2000' } },
  allowPositionals: true,
});
const [action, first, second] = positionals;
if (action === 'record' && first) await record(first, Number(values.lines));
else if (action === 'compare' && first && second) process.exitCode = compare(first, second);
else {
  console.error('usage: npx tsx tools/compareOutputs.ts record FILE [--lines N] | compare BEFORE AFTER');
  process.exitCode = 2;
}

/** All 64 bits of a score. */
function bits(value: number): string {
  return Buffer.from(new Float64Array([value]).buffer).toString('hex');
}

async function record(file: string, lines: number): Promise<void> {
  writeFileSync(file, '');
  const write = (name: string, outputs: unknown) =>
    appendFileSync(file, `${JSON.stringify([name, outputs])}\n`);
  for (const name of readdirSync(fixtures)) {
    const expected = JSON.parse(readFileSync(`${fixtures}/${name}/expected.json`, 'utf8'));
    if (!expected.generate?.length) continue;
    const model = await loadModel(`${fixtures}/${name}`);
    await recordFixture(model, expected.inputs, (kind, outputs) => write(`${name}: ${kind}`, outputs));
    await model.dispose();
  }
  for (const name of readdirSync('models')) {
    if (existsSync(`models/${name}/model.safetensors`)) await recordModel(name, lines, write);
  }
}

async function recordFixture(
  model: Model,
  { input_ids: ids, attention_mask: mask }: { input_ids: number[][]; attention_mask: number[][] },
  write: (kind: string, outputs: unknown) => void,
): Promise<void> {
  const inputs = ids.map((inputIds, row) => ({ inputIds, attentionMask: mask[row] }));
  for (const { name, options } of outputCases) write(name, await outputsOf(model, inputs, options));
}

/** Ids and scores of every output, or the code of the refusal. */
async function outputsOf(
  model: Model,
  inputs: Parameters<Model['generate']>[0],
  options: GenerationOptions,
): Promise<unknown> {
  try {
    const outputs = await model.generate(inputs, options);
    return outputs.map(({ sequences }) => sequences.map(({ ids, score }) => [ids, bits(score)]));
  } catch (error) {
    if (!(error instanceof PolybeamError)) throw error;
    return error.code;
  }
}

/** Greedy search and a beam of 4 over real lines, and the first of them under every option. */
async function recordModel(
  name: string,
  lines: number,
  write: (name: string, outputs: unknown) => void,
): Promise<void> {
  const file = name.startsWith('summarize') ? 'summaries' : 'en-fr';
  const text = gunzipSync(readFileSync(`../shared/data/debian/${file}.test.tsv.gz`)).toString();
  const texts = text
    .split('\n')
    .slice(0, lines)
    .map((line) => ({ text: line.split('\t')[0] }))
    .filter(({ text: source }) => source.trim() !== '');
  const model = await loadModel(`models/${name}`, { weightPrecision: 'float32' });
  for (const numBeams of [1, 4]) {
    const outputs = await outputsOf(model, texts, { numBeams });
    write(`${name}: beam ${numBeams}, ${texts.length} lines`, outputs);
  }
  const few = texts.slice(0, 24);
  for (const { name: kind, options } of outputCases)
    write(`${name}: ${kind}`, await outputsOf(model, few, options));
  await model.dispose();
}

/** Prints the cases that differ; returns the exit code. */
function compare(before: string, after: string): number {
  const read = (file: string) =>
    new Map(
      readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [name, outputs] = JSON.parse(line) as [string, unknown];
          return [name, JSON.stringify(outputs)] as const;
        }),
    );
  const [old, made] = [read(before), read(after)];
  const differing = [...old].filter(([name, outputs]) => made.get(name) !== outputs).map(([name]) => name);
  const fresh = [...made.keys()].filter((name) => !old.has(name));
  for (const name of differing) console.log(made.has(name) ? `differs: ${name}` : `missing: ${name}`);
  for (const name of fresh) console.log(`new: ${name}`);
  console.log(`${old.size - differing.length} of ${old.size} cases are the same to the bit`);
  return differing.length > 0 ? 1 : 0;
}
