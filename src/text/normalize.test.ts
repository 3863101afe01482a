import tokenizers from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { basicTokenize } from './basicTokenize.js';
import { makeNormalizer, type NormalizationOptions, normalizerJson, type PipelineStep } from './normalize.js';
import { makeWordCounter, preTokenizerJson, type SplitOptions } from './splitWords.js';
import { strings } from './tokenizer.contract.js';

/** npm tokenizers with the given steps. */
function pipeline(normalizer: PipelineStep | null, preTokenizer: PipelineStep | null) {
  const model = {
    type: 'WordPiece',
    unk_token: 'x',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 9,
  };
  const content = { version: '1.0', added_tokens: [], model: { ...model, vocab: { x: 0 } } };
  return tokenizers.Tokenizer.fromString(
    JSON.stringify({
      ...content,
      normalizer,
      pre_tokenizer: preTokenizer,
      post_processor: null,
      decoder: null,
    }),
  );
}

// Those that every Unicode version of the last years treats alike.
const characters = Array.from({ length: 0x870 }, (_, code) => String.fromCharCode(code)).filter(
  (char) => !/[\u061D\u07FD]/.test(char),
);
const texts = [...strings, ...characters.map((char) => `a${char}b ${char}${char}1.`)];

describe('what training does to text is what its tokenizer.json says', () => {
  const none: NormalizationOptions = {
    unicode: 'none',
    lowercase: false,
    stripAccents: false,
    collapseSpaces: false,
  };
  const normalizations: Partial<NormalizationOptions>[] = [
    { unicode: 'nfc' },
    { unicode: 'nfkc' },
    { lowercase: true },
    { stripAccents: true },
    { collapseSpaces: true },
    { unicode: 'nfkc', lowercase: true, stripAccents: true, collapseSpaces: true },
  ];
  for (const given of normalizations) {
    it(`normalizes: ${JSON.stringify(given)}`, () => {
      const options = { ...none, ...given };
      const normalize = makeNormalizer(options);
      const reference = pipeline(normalizerJson(options), null).getNormalizer()!;
      for (const text of texts) expect(normalize(text)).toBe(reference.normalizeString(text));
    });
  }

  it('normalizes many marks in a row as Unicode says, and in linear time', () => {
    const nfc = makeNormalizer({ ...none, unicode: 'nfc' });
    for (const marks of ['\u0301\u0323'.repeat(15), '\u0301'.repeat(100)]) {
      expect(nfc(`xa${marks}é e${marks}`)).toBe(`xa${marks}é e${marks}`.normalize('NFC'));
    }
    const start = performance.now();
    expect(nfc('\u0301\u0323'.repeat(200_000))).toHaveLength(400_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('does nothing where nothing is asked', () => {
    expect(normalizerJson(none)).toBeNull();
    expect(makeNormalizer(none)(' Éa ')).toBe(' Éa ');
  });

  const splits: SplitOptions[] = [true, false].flatMap((first) =>
    [true, false].flatMap((second): SplitOptions[] => [
      { kind: 'metaspace', splitPunctuation: first, splitDigits: second, addPrefixSpace: true },
      { kind: 'byteLevel', splitPunctuation: true, splitDigits: true, addPrefixSpace: first },
    ]),
  );
  for (const options of splits) {
    it(`splits: ${JSON.stringify(options)}`, () => {
      const reference = pipeline(null, preTokenizerJson(options)).getPreTokenizer()!;
      for (const text of texts.filter((each) => each !== '')) {
        const counter = makeWordCounter(options);
        counter.add(text);
        const words = reference.preTokenizeString(text).map(([word]) => word);
        const counts = new Map<string, number>();
        for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
        expect([...counter.counts()].sort(), JSON.stringify(text)).toEqual([...counts].sort());
      }
    });
  }

  it('splits for WordPiece', () => {
    for (const lowercase of [true, false]) {
      const settings = { clean_text: true, handle_chinese_chars: true, strip_accents: lowercase, lowercase };
      const reference = pipeline({ type: 'BertNormalizer', ...settings }, { type: 'BertPreTokenizer' });
      for (const text of texts) {
        const normal = reference.getNormalizer()!.normalizeString(text);
        const words = reference
          .getPreTokenizer()!
          .preTokenizeString(normal)
          .map(([word]) => word);
        expect(basicTokenize(text, { lowercase, stripAccents: lowercase }), JSON.stringify(text)).toEqual(
          words,
        );
      }
    }
  });
});
