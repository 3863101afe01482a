import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseFinetuneConfig, parsePretrainConfig, parseXlmPretrainConfig } from '../src/node.js';

const folder = 'examples/configs';
const parsers = {
  pretrain: parsePretrainConfig,
  finetune: parseFinetuneConfig,
  xlm: parseXlmPretrainConfig,
};

test('every example configuration is one that its command takes', async () => {
  const names = await readdir(folder);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const kind = /-(\w+)\.yaml$/.exec(name)![1] as keyof typeof parsers;
    const config = parsers[kind](parse(await readFile(`${folder}/${name}`, 'utf8')));
    expect(config.device, name).toBe('cuda');
  }
});
