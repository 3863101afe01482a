import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { runProgram } from './program.js';

const directory = mkdtempSync(join(tmpdir(), 'polybeam-train-'));
const data = join(directory, 'data.tsv');
beforeAll(() => {
  setFileAccess(nodeFiles);
  const words = ['one', 'two', 'three', 'four', 'five', 'six'];
  const pairs = words.flatMap((a) => words.map((b) => `${a} ${b}\t${b} ${a}`));
  writeFileSync(data, pairs.join('\n'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function configuration(name: string, budget: string, more = ''): string {
  const path = join(directory, `${name}.yaml`);
  writeFileSync(
    path,
    `output: ${join(directory, name)}
data:
  train: { tsv: ${data} }
  languages: { source: en, target: ne }
  maxLength: 16
vocabulary: { train: { size: 60, minFrequency: 1 } }
model:
  { encoderLayers: 1, decoderLayers: 1, dModel: 16, ffnDim: 32, attentionHeads: 2, maxPositionEmbeddings: 32 }
batch: { maxTokens: 128 }
schedule: { type: constant, warmupUpdates: 1 }
budget: ${budget}
${more}`,
  );
  return path;
}

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

describe('polybeam train', () => {
  it('trains a model that translates', async () => {
    const model = join(directory, 'short', 'model');
    const trained = await run('train', configuration('short', '{ maxUpdates: 3 }'));
    expect(trained).toMatchObject({ code: 0, out: `${model}: 3 updates\n` });
    expect(readdirSync(model)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']));
    const translated = await run('translate', '--model', model, '--to', 'ne', 'one two', '');
    expect([translated.code, translated.out.split('\n').length]).toEqual([0, 3]);
    const wrong = await run('translate', '--model', model, '--to', 'nee', 'one two');
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain('did you mean ne?');
  });

  it('saves at Ctrl-C, says how to resume, and resumes', async () => {
    const listeners = process.listenerCount('SIGINT');
    const long = configuration('long', '{ maxUpdates: 1000000 }', 'log: { everyUpdates: 1 }');
    const streams = fakeStreams();
    const running = runProgram(['train', long], streams);
    await until(() => readdirSync(join(directory, 'long')).includes('log.jsonl'));
    process.emit('SIGINT');
    expect(await running).toBe(1);
    expect(streams.out()).toBe('');
    const [, update] = /polybeam: interrupted at update (\d+); the same command goes on from there\.\n$/.exec(
      streams.err(),
    )!;
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    const resumed = await run('train', configuration('long', `{ maxUpdates: ${Number(update) + 1} }`));
    expect(resumed.code).toBe(0);
    expect(resumed.out).toContain(`${Number(update) + 1} updates`);
  });

  it('says when it starts what lies beyond its budget', async () => {
    const path = configuration(
      'beyond',
      '{ maxUpdates: 2 }',
      'validation: { everyUpdates: 3, metric: loss }\nearlyStopping: { patience: 5 }',
    );
    const text = readFileSync(path, 'utf8')
      .replace('warmupUpdates: 1', 'warmupUpdates: 2')
      .replace('languages:', `validation: { tsv: ${data} }\n  languages:`);
    writeFileSync(path, text);
    const { code, err } = await run('train', path);
    expect(code).toBe(0);
    expect(err.match(/warning: .*/g)).toEqual([
      'warning: schedule.warmupUpdates is 2, but budget.maxUpdates ends training after 2 updates: the learning rate does not ' +
        'reach schedule.learningRate; lower schedule.warmupUpdates, or raise the budget.',
      'warning: validation.everyUpdates is 3, but budget.maxUpdates ends training after 2 updates: nothing is validated; ' +
        'lower validation.everyUpdates, or raise the budget.',
    ]);
  });

  it.each([
    ['a missing file', 'missing.yaml', 'FILE_NOT_FOUND'],
    ['an unknown key', configuration('unknown', '{ maxUpdate: 3 }'), 'CONFIG_INVALID'],
  ])('refuses %s', async (_what, path, code) => {
    const result = await run('train', path);
    expect(result.code).toBe(1);
    expect(result.err).toContain(`[${code}]`);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      if (condition()) return;
    } catch {
      // The directory is not there yet.
    }
  }
}
