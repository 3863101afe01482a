import { expect, it } from 'vitest';
import { memoryFiles } from '../test/fixtures/training/memoryFiles.js';
import { setFileAccess } from './files.js';
import { readJson } from './pretrained/modelDirectory.js';
import { isDeeper, parseJson } from './shallowJson.js';
import { readYaml } from './training/readConfig.js';
import { openRun } from './training/runCheckpoint.js';

const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

it('refuses what is nested deeper than anything that is read', () => {
  expect(parseJson(`{"a":${nested(99)}}`)).toHaveProperty('a');
  expect(() => parseJson(nested(101))).toThrow('nested more than 100 levels deep');
  expect(() => parseJson(nested(200_000))).toThrow(SyntaxError);
  const own: unknown[] = [];
  own.push(own);
  expect(isDeeper(own, 100)).toBe(true);
});

it('is what readers of files and configurations ask', async () => {
  const files = memoryFiles();
  files.contents.set('config.json', new TextEncoder().encode(`{"vocab_size":${nested(100_000)}}`));
  files.contents.set('run/latest.json', new TextEncoder().encode(`{"identity":${nested(100_000)}}`));
  setFileAccess(files);
  await expect(readJson('config.json')).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  await expect(openRun({ directory: 'run', identity: {} })).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  expect(() => readYaml(`a: ${nested(20_000)}`, 'a.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
  expect(() => readYaml(`a: ${nested(200)}`, 'a.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});
