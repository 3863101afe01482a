import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { fixtureWithTokenizer, reversedPairs } from '../../test/support/tinyDirectories.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { runProgram } from './program.js';

const root = mkdtempSync(join(tmpdir(), 'polybeam-finetune-'));
beforeAll(() => setFileAccess(nodeFiles));
afterAll(() => rmSync(root, { recursive: true }));

async function run(...args: string[]) {
  const streams = fakeStreams();
  const code = await runProgram(args, streams);
  return { code, out: streams.out(), err: streams.err() };
}

describe('polybeam finetune', () => {
  it('fine-tunes a model that generates', async () => {
    const init = await fixtureWithTokenizer(root, 't5');
    const tsv = await reversedPairs(join(root, 'pairs.tsv'), 24);
    const path = join(root, 'tune.yaml');
    writeFileSync(
      path,
      `output: ${join(root, 'tuned')}
init: ${init}
data:
  train: { tsv: ${tsv} }
  validation: { tsv: ${tsv} }
budget: { maxUpdates: 2 }
validation: { everyUpdates: 1, metric: chrf, maxSentences: 4, maxNewTokens: 4 }
`,
    );
    const tuned = await run('finetune', path);
    const model = join(root, 'tuned', 'model');
    expect(tuned.code).toBe(0);
    expect(tuned.out).toMatch(new RegExp(`^${model}: 2 updates, best validation [0-9.]+ at update [12]\n$`));
    const generated = await run('translate', '--model', model, '--max-new-tokens', '3', 'a b');
    expect(generated.code).toBe(0);
  });

  it('refuses a configuration that is wrong', async () => {
    const path = join(root, 'wrong.yaml');
    writeFileSync(path, 'output: x\ninit: y\ndata: { train: { tsv: a } }\nlayerdecay: 0.9\n');
    const refused = await run('finetune', path);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('there is no layerdecay (did you mean layerDecay?)');
  });
});
