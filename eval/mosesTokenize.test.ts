import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpusBleu } from './bleu.js';
import { type MosesLanguage, mosesLanguages, mosesNormalize } from './mosesNormalize.js';
import { mosesTokenize } from './mosesTokenize.js';

type Expected = { tokens: string[][]; escaped: string[][]; normalized: string[] };
const fixture = JSON.parse(readFileSync('test/fixtures/eval/moses.json', 'utf8')) as {
  lines: string[];
} & Record<MosesLanguage, Expected>;

describe.each(mosesLanguages)('Moses processing of %s', (lang) => {
  const expected = fixture[lang];

  it('tokenizes as sacremoses does', () => {
    for (const [i, line] of fixture.lines.entries()) {
      expect(mosesTokenize(line, lang, { escape: false }), line).toEqual(expected.tokens[i]);
    }
  });

  it('escapes as sacremoses does', () => {
    for (const [i, tokens] of expected.escaped.entries()) {
      expect(mosesTokenize(fixture.lines[i], lang), fixture.lines[i]).toEqual(tokens);
    }
  });

  it('normalizes as sacremoses does', () => {
    for (const [i, line] of fixture.lines.entries()) {
      expect(mosesNormalize(line, lang), line).toBe(expected.normalized[i]);
    }
  });

  it('is what BLEU counts with tokenize moses-*', () => {
    const prepare = (line: string) => mosesTokenize(mosesNormalize(line.toLowerCase(), lang), lang).join(' ');
    const hypotheses = fixture.lines.slice(0, 28);
    const references = hypotheses.map((line) => line.split(' ').slice(1).join(' '));
    const direct = corpusBleu(hypotheses, [references], { lowercase: true, tokenize: `moses-${lang}` });
    const prepared = corpusBleu(hypotheses.map(prepare), [references.map(prepare)], { tokenize: 'none' });
    expect(direct.score).toBe(prepared.score);
    expect(direct.signature).toContain(`|case:lc|eff:no|tok:moses-${lang}|`);
  });
});

describe('Moses processing', () => {
  it('refuses other languages', () => {
    expect(() => mosesTokenize('a', 'cs' as MosesLanguage)).toThrow('not implemented for language "cs"');
    expect(() => mosesNormalize('a', 'cs' as MosesLanguage)).toThrow('use en, de, fr');
  });
});
