import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainTiny } from '../../test/support/trainTiny.js';
import { loadModel } from '../node.js';

let root: string;
let directory: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'polybeam-truncation-'));
  await trainTiny(root);
  directory = join(root, 'run/model');
});

afterAll(() => rm(root, { recursive: true }));

async function withRule(truncation: unknown, onWarning?: (message: string) => void) {
  const path = join(directory, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...config, polybeam: { ...config.polybeam, truncation } }));
  return loadModel(directory, { onWarning });
}

describe('polybeam.truncation', () => {
  test('says which tokens of a long text are read, without a warning', async () => {
    const warnings: string[] = [];
    const whole = await withRule(undefined);
    const text = 'a b c d e f g h';
    const [{ inputIds: all }] = await whole.generate([{ text }], { maxNewTokens: 2 });
    const model = await withRule({ head: 2, tail: 1 }, (message) => warnings.push(message));
    const [long, short] = await model.generate([{ text }, { text: 'a b' }], { maxNewTokens: 2 });
    // The end token stays.
    expect(long.inputIds).toEqual([all[0], all[1], ...all.slice(-2)]);
    expect(short.inputIds).toEqual([all[0], all[1], all.at(-1)]);
    expect(warnings).toEqual([]);
    await model.dispose();
    await whole.dispose();
  });

  test.each([
    [
      { head: 0, tail: 0 },
      /config\.json: polybeam\.truncation: head is 0 \(nothing of the text would stay\)/,
    ],
    [{ head: 2 }, /polybeam\.truncation: tail is missing/],
    [{ head: 2, tail: 3, side: 'head' }, /polybeam\.truncation/],
  ])('is refused as %j', async (truncation, message) => {
    await expect(withRule(truncation)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('is refused where the model reads less', async () => {
    const model = await withRule({ head: 1000, tail: 0 });
    await expect(model.generate([{ text: 'a' }])).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(
        'keeps 1001 tokens of a text, special tokens included, but the model can read 512',
      ),
    });
  });
});
