import { expect, test } from 'vitest';
import { readYaml } from './readConfig.js';

test('an alias repeats a value', () => {
  expect(readYaml('a: &x [1, 2]\nb: *x\n', 'a.yaml')).toEqual({ a: [1, 2], b: [1, 2] });
});

test.each([
  ['without an anchor', 'a: *nowhere\n'],
  ['that hold themselves', 'a: &x [*x]\n'],
  [
    'that repeat without end',
    `a0: &a0 [1, 1]\n${Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]\n`).join('')}`,
  ],
])('aliases %s are refused', (_, text) => {
  expect(() => readYaml(text, 'a.yaml')).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^a\.yaml (has aliases|is not YAML)/),
    }),
  );
});
