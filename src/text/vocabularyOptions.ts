import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { rolesByName } from './specialTokens.js';
import type { Template } from './tokenizerFile.js';
import type { VocabularyOptions } from './vocabularyOptions.types.js';

export type { VocabularyOptions };

const defaultTokens = {
  bpe: ['<pad>', '</s>', '<unk>'],
  wordpiece: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
};

const count = (what: string) => z.int().min(1).describe(what);

/** Options of vocabulary training; where an option has no default here, its description says what follows. */
export const vocabularyOptionsSchema = z.strictObject({
  type: z
    .enum(['bpe', 'wordpiece'])
    .default('bpe')
    .describe('Kind of vocabulary: byte-pair encoding, or the WordPiece of BERT.'),
  pretokenizer: z
    .enum(['metaspace', 'byteLevel'])
    .default('metaspace')
    .describe(
      'How BPE spells words: metaspace marks spaces with ▁ (as SentencePiece), byteLevel spells UTF-8 bytes (as GPT-2) ' +
        'and has no unknown token.',
    ),
  size: count('Maximum number of tokens in the vocabulary, special tokens and characters included.').default(
    16000,
  ),
  specialTokens: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'Special tokens, in id order from 0, such as language tags; their names determine their roles (<pad>, </s>, ' +
        `<unk>, <s>, <mask>, [PAD], [CLS]...). Default ${defaultTokens.bpe.join(' ')} for bpe, ` +
        `${defaultTokens.wordpiece.join(' ')} for wordpiece.`,
    ),
  minFrequency: count('Minimum count of a pair of tokens that is merged.').default(2),
  limitAlphabet: count(
    'Maximum number of single characters in the vocabulary; the rarest are left out.',
  ).default(1000),
  maxTokenLength: count(
    'Maximum number of characters (bytes for byteLevel) in a token. Default 16 for bpe (as SentencePiece), 100 for wordpiece.',
  ).optional(),
  byteFallback: z
    .boolean()
    .default(false)
    .describe('Spell characters outside the vocabulary with 256 byte tokens (bpe with metaspace).'),
  unicodeNormalization: z
    .enum(['none', 'nfc', 'nfkc'])
    .optional()
    .describe('Unicode normalization of bpe. Default nfkc for metaspace, none for byteLevel.'),
  lowercase: z.boolean().default(false).describe('Lower-case every text.'),
  stripAccents: z
    .boolean()
    .optional()
    .describe('Drop accents. Default: false for bpe; for wordpiece the value of lowercase (as BERT).'),
  splitPunctuation: z
    .boolean()
    .optional()
    .describe('Never merge letters with punctuation (bpe with metaspace). Default true.'),
  splitDigits: z
    .boolean()
    .optional()
    .describe('One token per digit (bpe with metaspace), so that numbers are copied reliably. Default true.'),
  addPrefixSpace: z
    .boolean()
    .optional()
    .describe('Treat the first word as if a space preceded it (byteLevel). Default true.'),
  template: z
    .enum(['none', 'eos', 'bosEos', 'bert'])
    .optional()
    .describe(
      'Special tokens written around each text: nothing, an end token, also a start token, or [CLS] text [SEP]. ' +
        'Default bert for wordpiece, eos for bpe if specialTokens has an end token.',
    ),
});

/** Options of the `vocab` command: where the text comes from and where the tokenizer goes, with those of training. */
export const vocabularyCommandSchema = vocabularyOptionsSchema.extend({
  inputs: z.array(z.string().min(1)).min(1).describe('Text files, one text a line; .gz is unpacked.'),
  columns: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe('Columns (split by tabs, counted from 0) to learn from. Default all.'),
  output: z.string().min(1).describe('Directory to write tokenizer.json and its configuration into.'),
  modelMaxLength: count('Tokens in a text at most, for tokenizer_config.json. Default no limit.').optional(),
});

/** Options of vocabulary training with every default filled in. */
export interface ResolvedVocabularyOptions extends z.output<typeof vocabularyOptionsSchema> {
  specialTokens: string[];
  maxTokenLength: number;
  unicodeNormalization: 'none' | 'nfc' | 'nfkc';
  stripAccents: boolean;
  splitPunctuation: boolean;
  splitDigits: boolean;
  addPrefixSpace: boolean;
  template: Template;
}

/**
 * Validates options as a whole and fills in defaults.
 *
 * @throws OPTION_INVALID for a value outside its range, OPTION_CONFLICT for options that exclude each other
 */
export function resolveVocabularyOptions(given: VocabularyOptions): ResolvedVocabularyOptions {
  const parsed = vocabularyOptionsSchema.safeParse(given);
  if (!parsed.success) throw invalidOption(parsed.error);
  const options = parsed.data;
  refuseUnused(given);
  const metaspace = options.type === 'bpe' && options.pretokenizer === 'metaspace';
  const specialTokens = options.specialTokens ?? defaultTokens[options.type];
  const defaultTemplate = rolesByName(specialTokens).eos === undefined ? 'none' : 'eos';
  const resolved: ResolvedVocabularyOptions = {
    ...options,
    specialTokens,
    maxTokenLength: options.maxTokenLength ?? (options.type === 'bpe' ? 16 : 100),
    unicodeNormalization: options.unicodeNormalization ?? (metaspace ? 'nfkc' : 'none'),
    stripAccents: options.stripAccents ?? (options.type === 'wordpiece' && options.lowercase),
    splitPunctuation: options.splitPunctuation ?? true,
    splitDigits: options.splitDigits ?? true,
    addPrefixSpace: options.addPrefixSpace ?? true,
    template: options.template ?? (options.type === 'wordpiece' ? 'bert' : defaultTemplate),
  };
  requireTokens(resolved);
  return resolved;
}

function invalidOption(error: z.ZodError): PolybeamError {
  const issue = error.issues[0];
  if (issue.code === 'unrecognized_keys') {
    return new PolybeamError('OPTION_UNKNOWN', `There is no vocabulary option ${issue.keys.join(', ')}.`);
  }
  return new PolybeamError(
    'OPTION_INVALID',
    `Vocabulary option ${issue.path.join('.')} is wrong: ${issue.message}.`,
    { cause: error },
  );
}

/** An option that the chosen kind of vocabulary would ignore is refused. */
function refuseUnused(given: VocabularyOptions): void {
  const kind = given.type === 'wordpiece' ? 'wordpiece' : `bpe with ${given.pretokenizer ?? 'metaspace'}`;
  const refused = {
    wordpiece: [
      'pretokenizer',
      'byteFallback',
      'unicodeNormalization',
      'splitPunctuation',
      'splitDigits',
      'addPrefixSpace',
    ],
    'bpe with metaspace': ['addPrefixSpace'],
    'bpe with byteLevel': ['byteFallback', 'splitPunctuation', 'splitDigits', 'limitAlphabet'],
  }[kind] as (keyof VocabularyOptions)[];
  const name = refused.find((option) => given[option] !== undefined && given[option] !== false);
  if (!name) return;
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `Vocabulary option ${name} has no meaning for ${kind}: leave it out.`,
  );
}

function requireTokens({
  type,
  pretokenizer,
  byteFallback,
  specialTokens,
  template,
}: ResolvedVocabularyOptions) {
  const roles = rolesByName(specialTokens);
  const repeated = specialTokens.find((token, at) => specialTokens.indexOf(token) !== at);
  if (repeated !== undefined) {
    throw new PolybeamError('OPTION_INVALID', `Special token ${repeated} is listed twice: leave one out.`);
  }
  const needed = { none: [], eos: ['eos'], bosEos: ['bos', 'eos'], bert: ['cls', 'sep'] }[template];
  const wantsUnk = type === 'wordpiece' || (pretokenizer === 'metaspace' && !byteFallback);
  const missing = [...needed, ...(wantsUnk ? ['unk'] : [])].find((role) => !(role in roles));
  if (missing === undefined) return;
  const example = {
    eos: '</s>',
    bos: '<s>',
    cls: '[CLS]',
    sep: '[SEP]',
    unk: type === 'bpe' ? '<unk>' : '[UNK]',
  };
  throw new PolybeamError(
    'OPTION_CONFLICT',
    `specialTokens ${specialTokens.join(' ')} has no ${missing} token, which this vocabulary needs: add ` +
      `${example[missing as keyof typeof example]}${missing === 'unk' ? '' : ', or choose another template'}.`,
  );
}
