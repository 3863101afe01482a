import { describe, expect, test } from 'vitest';
import * as evaluation from '../eval/index.js';
import * as library from './node.js';

/*
 * Types hold only in TypeScript: whatever a function of the library gets as its first argument, it answers or refuses by a code.
 * What models do with inputs is in pretrained/givenInputs.test.ts.
 */

const wrong: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a number': 5,
  'a bigint': 5n,
  'a symbol': Symbol('a'),
  'a list of null': [null],
  'a list of lists of bigints': [[5n]],
  'a typed array': Int32Array.of(5),
  'a function': () => 5,
};

/** What takes no argument, a runtime of its user's, or an argument of any kind. */
const others = [
  'listDevices',
  'speedCheck',
  'setRuntime',
  'setFileAccess',
  'setSentencePieceModule',
  'setTokenizersModule',
  'setSkipGramTrainer',
  'pairedTestFields',
  'PolybeamError',
];

/** Where a wrong first argument is one of the options, or the content of a file. */
const codes: Record<string, string> = {
  parseTrainConfig: 'CONFIG_INVALID',
  parseFinetuneConfig: 'CONFIG_INVALID',
  parsePretrainConfig: 'CONFIG_INVALID',
  parseXlmPretrainConfig: 'CONFIG_INVALID',
  parseXlmRunConfig: 'CONFIG_INVALID',
  parseTranslationConfig: 'CONFIG_INVALID',
};

/** What is right in the place of the first argument, or left out. */
const right: Record<string, string[]> = {
  resolveGenerationOptions: ['undefined'],
  compile: ['a function'],
  // References that a line lacks are null, and what is no text has no letters.
  rougeScriptWarning: ['a list of null', 'a list of lists of bigints'],
  trainVectors: ['a function'],
  vectorTexts: ['a function'],
  chooseNgrams: ['a function'],
};

const functions = Object.entries({ ...library, ...evaluation }).filter(
  (entry): entry is [string, (given: unknown) => unknown] =>
    typeof entry[1] === 'function' && !others.includes(entry[0]),
);

describe.each(functions)('%s', (name, call) => {
  const values = Object.entries(wrong).filter(([kind]) => !right[name]?.includes(kind));
  test.each(values)('refuses %s', async (_, value) => {
    const run = async () => {
      const result = await call(value);
      // A stream throws with its first event.
      if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result)
        for await (const __ of result as AsyncIterable<unknown>);
    };
    await expect(run()).rejects.toMatchObject({
      name: 'PolybeamError',
      code: codes[name] ?? 'INPUT_INVALID',
    });
  });
});

test.each<[string, (given: never) => unknown, unknown[]]>([
  ['limit of readVectors', (limit) => library.readVectors('a.vec', limit), ['5', 5n, null, Number.NaN, 0]],
  ['input of compile', (x) => library.compile(() => ({}), { x }), [null, 5, {}, { shape: 'a' }]],
  ['defaults', (defaults) => library.resolveGenerationOptions({}, defaults), [null, 5, 'a', []]],
])('%s refuses what is of another type', async (_, call, values) => {
  for (const value of values) {
    await expect((async () => call(value as never))()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  }
});
