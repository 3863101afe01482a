import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trimEnd } from './pythonText.js';
import { tokenizerFor, tokenizerNames } from './tokenizers.js';

const fixture = JSON.parse(readFileSync('test/fixtures/eval/tokenizers.json', 'utf8')) as Record<
  string,
  string[][]
> & { lines: string[] };

describe.each(['13a', 'none', 'char', 'intl', 'zh'])('tokenizer %s', (name) => {
  it.each(fixture.lines.map((line, i) => [line, fixture[name][i]] as const))(
    'splits %j as sacreBLEU does',
    (line, tokens) => {
      expect(tokenizerFor(name)(trimEnd(line))).toEqual(tokens);
    },
  );
});

describe('tokenizer names', () => {
  it('refuses those that sacreBLEU has and polybeam has not, by name', () => {
    for (const name of ['ja-mecab', 'ko-mecab', 'spm', 'flores101', 'flores200', 'spBLEU-1K']) {
      expect(() => tokenizerFor(name)).toThrow(`sacreBLEU's tokenizer "${name}" is not implemented`);
    }
  });

  it('names the known ones when refusing', () => {
    expect(() => tokenizerFor('13b')).toThrow(
      `There is no tokenizer "13b": use one of ${tokenizerNames.join(', ')}`,
    );
    expect(() => tokenizerFor('constructor')).toThrow('There is no tokenizer "constructor"');
  });
});
