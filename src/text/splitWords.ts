import type { PipelineStep } from './normalize.js';

/** How text is cut into the words inside which merges happen. */
export interface SplitOptions {
  /**
   * 'metaspace': words begin at spaces, written `▁` (SentencePiece); 'byteLevel': GPT-2's pattern over UTF-8 bytes.
   */
  kind: 'metaspace' | 'byteLevel';
  /** Letters, digits and other characters are separate words (metaspace; byteLevel always does so). */
  splitPunctuation: boolean;
  /** Each digit is a word of its own (metaspace). */
  splitDigits: boolean;
  /** The first word is written as if a space stood before it (byteLevel; metaspace always does so). */
  addPrefixSpace: boolean;
}

/** The mark that stands for a space in metaspace vocabularies: U+2581. */
export const metaspace = '▁';

// GPT-2's (Radford et al. 2019) pattern, as `tokenizers` has it built in.
const byteLevelPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Counts the words of texts. Keys are as a vocabulary spells them: with `▁`, or with one character per byte. */
export function makeWordCounter(options: SplitOptions): {
  add(text: string): void;
  counts(): Map<string, number>;
} {
  const coarse = new Map<string, number>();
  const split = options.kind === 'byteLevel' ? splitByteLevel : splitAtMetaspace;
  return {
    add(text) {
      if (text === '') return;
      for (const word of split(text, options)) coarse.set(word, (coarse.get(word) ?? 0) + 1);
    },
    // The costly part is done once per distinct word.
    counts() {
      const counts = new Map<string, number>();
      for (const [word, count] of coarse) {
        for (const part of finish(word, options)) counts.set(part, (counts.get(part) ?? 0) + count);
      }
      return counts;
    },
  };
}

/** The `pre_tokenizer` of a tokenizer.json that splits as `makeWordCounter` does. */
export function preTokenizerJson(options: SplitOptions): PipelineStep {
  if (options.kind === 'byteLevel') {
    return {
      type: 'ByteLevel',
      add_prefix_space: options.addPrefixSpace,
      trim_offsets: true,
      use_regex: true,
    };
  }
  const spaces = { type: 'Metaspace', replacement: metaspace, prepend_scheme: 'always', split: true };
  const pattern = finePattern(options);
  if (!pattern) return spaces;
  const fine = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [spaces, fine] };
}

/** The `decoder` of a tokenizer.json: tokens back to text. */
export function decoderJson(options: SplitOptions, byteFallback: boolean): PipelineStep {
  const dropFirstSpace = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  if (options.kind === 'byteLevel') {
    const bytes = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
    if (!options.addPrefixSpace) return bytes;
    return { type: 'Sequence', decoders: [bytes, { type: 'Fuse' }, dropFirstSpace] };
  }
  if (!byteFallback) {
    return { type: 'Metaspace', replacement: metaspace, prepend_scheme: 'always', split: true };
  }
  const spaces = { type: 'Replace', pattern: { String: metaspace }, content: ' ' };
  const decoders = [spaces, { type: 'ByteFallback' }, { type: 'Fuse' }, dropFirstSpace];
  return { type: 'Sequence', decoders };
}

/** The 256 characters that stand for bytes in byte-level vocabularies, by byte (GPT-2's table). */
export const byteCharacters: readonly string[] = makeByteCharacters();

/** The 256 tokens of byte fallback, `<0x00>` to `<0xFF>`. */
export const byteFallbackTokens: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

function splitAtMetaspace(text: string): string[] {
  const marked = text.replaceAll(' ', metaspace);
  return (marked.startsWith(metaspace) ? marked : metaspace + marked).match(/▁[^▁]*/g)!;
}

function splitByteLevel(text: string, options: SplitOptions): string[] {
  const prefixed = options.addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
  return prefixed.match(byteLevelPattern) ?? [];
}

function finish(word: string, options: SplitOptions): string[] {
  if (options.kind === 'byteLevel') return [toByteCharacters(word)];
  const pattern = finePattern(options);
  return pattern ? word.match(new RegExp(pattern, 'gu'))! : [word];
}

// One pattern for both sides: Oniguruma and JavaScript read it alike. Every character is in some match.
function finePattern({ splitPunctuation, splitDigits }: SplitOptions): string | undefined {
  const digits = splitDigits ? '▁?\\p{N}' : '▁?\\p{N}+';
  if (splitPunctuation) return `${digits}|▁?[\\p{L}\\p{M}]+|▁?[^\\p{L}\\p{M}\\p{N}▁]+|▁`;
  return splitDigits ? `${digits}|▁?[^\\p{N}▁]+|▁` : undefined;
}

const encoder = new TextEncoder();

function toByteCharacters(text: string): string {
  let characters = '';
  for (const byte of encoder.encode(text)) characters += byteCharacters[byte];
  return characters;
}

function makeByteCharacters(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
