import type { PipelineStep } from './normalize.js';

/** A token outside the model's reach: found in the text before anything else is done. */
export interface AddedTokenJson {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

/** The model of a tokenizer.json, as our trainers write it. */
export interface ModelJson {
  type: 'BPE' | 'WordPiece';
  vocab: Record<string, number>;
  unk_token: string | null;
  /** BPE: left and right token of each merge, in order. */
  merges?: [string, string][];
  [setting: string]: unknown;
}

/** The content of a tokenizer.json (format 1.0 of Hugging Face `tokenizers`). */
export interface TokenizerJson {
  version: '1.0';
  truncation: null;
  padding: null;
  added_tokens: AddedTokenJson[];
  normalizer: PipelineStep | null;
  pre_tokenizer: PipelineStep | null;
  post_processor: PipelineStep | null;
  decoder: PipelineStep | null;
  model: ModelJson;
}

/** What an encoded text gets around it: see `templateJson`. */
export type Template = 'none' | 'eos' | 'bosEos' | 'bert';

/**
 * The `post_processor` of a tokenizer.json: 'eos' writes eos after each text, 'bosEos' also bos before it, 'bert' is
 * `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]` with type 1 for the second text.
 */
export function templateJson(
  template: Template,
  tokens: { bos?: string; eos?: string; cls?: string; sep?: string },
  idOf: (token: string) => number,
): PipelineStep | null {
  if (template === 'none') return null;
  const before = { eos: undefined, bosEos: tokens.bos, bert: tokens.cls }[template];
  const after = template === 'bert' ? tokens.sep! : tokens.eos!;
  const special = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
  const start = before === undefined ? [] : [special(before)];
  const single = [...start, { Sequence: { id: 'A', type_id: 0 } }, special(after)];
  const second = template === 'bert' ? 1 : 0;
  const pair = [...single, { Sequence: { id: 'B', type_id: second } }, special(after, second)];
  const used = [...new Set([...(before === undefined ? [] : [before]), after])];
  const entry = (token: string) => ({ id: token, ids: [idOf(token)], tokens: [token] });
  const special_tokens = Object.fromEntries(used.map((token) => [token, entry(token)]));
  return { type: 'TemplateProcessing', single, pair, special_tokens };
}

/** A special token as tokenizer.json lists it: matched in the raw text, skipped in decoding. */
export function specialTokenJson(content: string, id: number): AddedTokenJson {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}
