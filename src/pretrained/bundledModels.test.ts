import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { packageRoot } from '../node/packageRoot.js';
import { loadEnsemble, loadModel } from '../node.js';
import { modelDirectoryOf } from './bundledModels.js';

// Relative paths are those of an empty directory: nothing of the repository is found by chance.
const elsewhere = mkdtempSync(join(tmpdir(), 'polybeam-'));
const start = packageRoot();
process.chdir(elsewhere);
afterAll(() => {
  process.chdir(start);
  rmSync(elsewhere, { recursive: true, force: true });
});

const [first, second] = readdirSync(join(start, 'models'));

it.each([first, second])('finds %s by its name', async (name) => {
  const model = await loadModel(name);
  expect(model.config.model_type).toBeTypeOf('string');
  await model.dispose();
});

it('finds the members of an ensemble', async () => {
  const model = await loadEnsemble([first, first]);
  expect(await model.translate(['A free game.'])).toHaveLength(1);
  await model.dispose();
});

it('leaves paths, directories of that name and what it does not know as they are', async () => {
  expect(await modelDirectoryOf(`./${first}`)).toBe(`./${first}`);
  expect(await modelDirectoryOf(`models/${first}`)).toBe(`models/${first}`);
  expect(await modelDirectoryOf('..')).toBe('..');
  expect(await modelDirectoryOf('no-such-model')).toBe('no-such-model');
  mkdirSync(second);
  writeFileSync(`${second}/config.json`, '{}');
  expect(await modelDirectoryOf(second)).toBe(second);
  await expect(loadModel('no-such-model')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
});
