import { z } from 'zod';
import { PolybeamError } from '../errors.js';
import { type ActivationName, activations } from '../nn/activation.js';

/** The parsed content of a config.json, as it is on disk; keys that polybeam does not read are kept when saving. */
export type RawConfig = Record<string, unknown>;

const activation = z.enum(Object.keys(activations) as [ActivationName, ...ActivationName[]]);
const size = z.int().min(1);
const probability = z.number().min(0).max(1);

/** A schema whose attention heads share the features of a layer evenly. @param pairs keys of features and of heads */
function evenHeads<T extends z.ZodObject>(schema: T, pairs: readonly (readonly [string, string])[]): T {
  return schema.superRefine((config, context) => {
    const values = config as Record<string, unknown>;
    for (const [features, heads] of pairs) {
      const [all, parts] = [values[features], values[heads]];
      // What is no number has its own problem.
      if (typeof all !== 'number' || typeof parts !== 'number' || all % parts === 0) continue;
      context.addIssue({
        code: 'custom',
        path: [heads],
        message: `${features}, ${all}, is not a multiple of it`,
      });
    }
  });
}

const transformerFields = z.looseObject({
  vocab_size: size,
  d_model: size,
  encoder_layers: size,
  encoder_attention_heads: size,
  encoder_ffn_dim: size,
  decoder_layers: size,
  decoder_attention_heads: size,
  decoder_ffn_dim: size,
  max_position_embeddings: size.default(1024),
  activation_function: activation.default('gelu'),
  scale_embedding: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
  pad_token_id: z.int().min(0).nullish(),
  dropout: probability.default(0.1),
  attention_dropout: probability.default(0),
  activation_dropout: probability.default(0),
  init_std: z.number().default(0.02),
});

const transformerHeads = [
  ['d_model', 'encoder_attention_heads'],
  ['d_model', 'decoder_attention_heads'],
] as const;

/** What config.json of every Transformer with encoder and decoder has (BART, M2M-100, ...); defaults are transformers'. */
export const transformerConfigSchema = evenHeads(transformerFields, transformerHeads);

const marianFields = transformerFields.extend({
  decoder_vocab_size: size.nullish(),
  share_encoder_decoder_embeddings: z.boolean().default(true),
  // Variants of Marian that transformers' MarianMTModel does not have either.
  normalize_before: z.literal(false).optional(),
  normalize_embedding: z.literal(false).optional(),
});

/** config.json of MarianMTModel. */
export const marianConfigSchema = evenHeads(marianFields, transformerHeads);

const activationNames = Object.keys(activations) as ActivationName[];
const gatedNames = activationNames.map((name) => `gated-${name}` as const);

/** config.json of T5 and mT5; defaults are transformers'. */
export const t5ConfigSchema = z.looseObject({
  vocab_size: size,
  d_model: size,
  d_kv: size,
  d_ff: size,
  num_layers: size,
  num_decoder_layers: size.nullish(),
  num_heads: size,
  // Each direction needs two buckets: one for its nearest distance, one for all others.
  relative_attention_num_buckets: z.int().min(4).default(32),
  relative_attention_max_distance: size.default(128),
  feed_forward_proj: z.enum([...activationNames, ...gatedNames]),
  tie_word_embeddings: z.boolean().nullish(),
  scale_decoder_outputs: z.boolean().nullish(),
  layer_norm_epsilon: z.number().default(1e-6),
  dropout_rate: probability.default(0.1),
  initializer_factor: z.number().default(1),
});

const gpt2Fields = z.looseObject({
  vocab_size: size,
  n_positions: size.default(1024),
  n_embd: size,
  n_layer: size,
  n_head: size,
  n_inner: size.nullish(),
  activation_function: activation.default('gelu_new'),
  layer_norm_epsilon: z.number().default(1e-5),
  resid_pdrop: probability.default(0.1),
  embd_pdrop: probability.default(0.1),
  attn_pdrop: probability.default(0.1),
  initializer_range: z.number().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  // Variants that no published GPT-2 has.
  scale_attn_weights: z.literal(true).optional(),
  scale_attn_by_inverse_layer_idx: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
});

/** config.json of GPT-2; defaults are transformers'. */
export const gpt2ConfigSchema = evenHeads(gpt2Fields, [['n_embd', 'n_head']]);

const bertFields = z.looseObject({
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  max_position_embeddings: size.default(512),
  type_vocab_size: z.int().min(0).default(2),
  hidden_act: activation.default('gelu'),
  layer_norm_eps: z.number().default(1e-12),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  initializer_range: z.number().default(0.02),
  position_embedding_type: z.literal('absolute').optional(),
  // A key of the PyTorch ports of RoFormer-Sim; transformers has tanh only.
  pooler_activation: z.enum(['tanh', 'linear']).default('tanh'),
  tie_word_embeddings: z.boolean().default(true),
  is_decoder: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
});

const bertHeads = [['hidden_size', 'num_attention_heads']] as const;

/** config.json of BERT's family; BertGeneration has no segments. */
export const bertConfigSchema = evenHeads(bertFields, bertHeads);

/** `polybeam.truncation` in config.json: how many tokens of a long text are read, at its beginning and at its end. */
export const truncationSchema = z
  .strictObject({ head: z.int().min(0), tail: z.int().min(0) })
  .refine(({ head, tail }) => head + tail > 0, { path: ['head'], message: 'nothing of the text would stay' });

const unilmFields = bertFields.extend({
  // What unilm v1 computes with; its config.json does not say it.
  layer_norm_eps: z.number().default(1e-5),
  type_vocab_size: z.int().min(0).default(6),
  source_type_id: z.int().min(0).optional(),
  target_type_id: z.int().min(0).optional(),
  tie_word_embeddings: z.literal(true).optional(),
  // Variants that no published checkpoint has.
  relax_projection: z.literal(0).optional(),
  num_qkv: z.union([z.literal(0), z.literal(1)]).optional(),
  ffn_type: z.literal(0).optional(),
  seg_emb: z.literal(false).optional(),
  new_pos_ids: z.literal(false).optional(),
});

/** config.json of UniLM: that of unilm v1, or of s2s-ft with its `source_type_id` and `target_type_id`. */
export const unilmConfigSchema = evenHeads(unilmFields, bertHeads);

const roformerFields = bertFields.extend({
  embedding_size: size.nullish(),
  max_position_embeddings: size.default(1536),
  rotary_value: z.boolean().default(false),
  use_bias: z.boolean().default(true),
  norm_type: z.enum(['layer_norm', 'rms_norm']).default('layer_norm'),
  tie_word_embeddings: z.literal(true).optional(),
  is_decoder: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
});

/** config.json of RoFormer; `use_bias` false and `norm_type` 'rms_norm' make it RoFormerV2. Defaults are transformers'. */
export const roformerConfigSchema = evenHeads(roformerFields, bertHeads);

const xlmRobertaFields = bertFields.extend({
  pad_token_id: z.int().min(0).default(1),
  is_decoder: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
});

/** config.json of XLM-RoBERTa; defaults are transformers'. */
export const xlmRobertaConfigSchema = evenHeads(xlmRobertaFields, bertHeads);

/** config.json of XLM; defaults are transformers'. */
export const xlmConfigSchema = z
  .looseObject({
    vocab_size: size,
    emb_dim: size,
    n_layers: size,
    n_heads: size,
    dropout: probability.default(0.1),
    attention_dropout: probability.default(0.1),
    gelu_activation: z.boolean().default(true),
    sinusoidal_embeddings: z.boolean().default(false),
    causal: z.boolean().default(false),
    n_langs: size.default(1),
    use_lang_emb: z.boolean().default(true),
    max_position_embeddings: size.default(512),
    embed_init_std: z.number().default(2048 ** -0.5),
    layer_norm_eps: z.number().default(1e-12),
    tie_word_embeddings: z.boolean().default(true),
    lang2id: z.record(z.string(), z.int().min(0)).nullish(),
    // Variants that transformers' XLMModel does not have either, and an output that no published checkpoint has.
    is_encoder: z.literal(true).optional(),
    asm: z.literal(false).optional(),
  })
  .refine(({ emb_dim: features, n_heads: heads }) => features % heads === 0, {
    path: ['n_heads'],
    message: 'emb_dim is not a multiple of it',
  });

/** config.json of two stacks of XLM that translate; polybeam's own, with the keys of XLM. */
export const xlmTranslatorConfigSchema = z
  .looseObject({
    ...xlmConfigSchema.shape,
    decoder_layers: size,
    share_encoder_decoder_embeddings: z.boolean().default(true),
    /** Places of the languages, 0 to one less than there are. */
    lang2id: z.record(z.string(), z.int().min(0)),
    first_language_token_id: z.int().min(0),
    use_lang_emb: z.literal(true).default(true),
    causal: z.literal(false).default(false),
  })
  .refine(({ emb_dim: features, n_heads: heads }) => features % heads === 0, {
    path: ['n_heads'],
    message: 'emb_dim is not a multiple of it',
  })
  .refine(
    ({ lang2id, n_langs: count }) =>
      count > 1 &&
      Object.values(lang2id)
        .sort((a, b) => a - b)
        .join() === Array.from({ length: count }, (_, at) => at).join(),
    { path: ['lang2id'], message: 'it does not number n_langs languages, two or more, from 0' },
  );

/**
 * Checks a config.json against what an architecture needs.
 * @param path names the file in errors
 * @throws CONFIG_INVALID naming key, value and what is wanted
 */
export function readConfig<T extends z.ZodType>(schema: T, raw: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.join('.');
  const value = issue.path.reduce<unknown>(
    (at, name) => (at as RawConfig | undefined)?.[name as string],
    raw,
  );
  const found = value === undefined ? 'missing' : JSON.stringify(value);
  throw new PolybeamError(
    'CONFIG_INVALID',
    `${path}: ${key} is ${found} (${issue.message}); correct it in config.json.`,
  );
}
