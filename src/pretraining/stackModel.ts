import type { RawConfig } from '../pretrained/config.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { PretrainModelConfig } from './config.js';

/** The model section of a stack of layers. */
export type StackModelConfig = PretrainModelConfig & { type: 'unilm' | 'bert' | 'roformer' };

/** config.json of a new stack that reads and writes: `encoderLayers` layers, with the segments of its family. */
export function stackConfig(model: StackModelConfig, tokenizer: Tokenizer): RawConfig {
  const { mask, pad } = tokenizer.specialIds;
  return {
    model_type: model.type,
    vocab_size: tokenizer.vocabSize,
    hidden_size: model.dModel,
    num_hidden_layers: model.encoderLayers,
    num_attention_heads: model.attentionHeads,
    intermediate_size: model.ffnDim,
    hidden_act: model.activationFunction,
    max_position_embeddings: model.maxPositionEmbeddings,
    type_vocab_size: model.type === 'unilm' ? 6 : 2,
    layer_norm_eps: model.type === 'unilm' ? 1e-5 : 1e-12,
    hidden_dropout_prob: model.dropout,
    attention_probs_dropout_prob: model.attentionDropout,
    initializer_range: 0.02,
    pad_token_id: pad ?? 0,
    dtype: 'float32',
    // Only models that read a [MASK] have to know it.
    polybeam: { prefix_lm: model.type === 'unilm' && mask !== undefined ? { mask_token_id: mask } : true },
  };
}
