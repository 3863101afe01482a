import type { TransformerConfig } from '../encoder/transformer.js';
import type { TrainModelConfig } from './config.js';

/** Ids a new model is made with. */
export interface ModelIds {
  vocabSize: number;
  padTokenId: number;
  eosTokenId: number;
}

/** The architecture that a training configuration asks for. */
export function marianModel(model: TrainModelConfig, vocabSize: number): TransformerConfig {
  return {
    vocabSize,
    decoderVocabSize: vocabSize,
    dModel: model.dModel,
    encoderLayers: model.encoderLayers,
    encoderAttentionHeads: model.attentionHeads,
    encoderFfnDim: model.ffnDim,
    decoderLayers: model.decoderLayers,
    decoderAttentionHeads: model.attentionHeads,
    decoderFfnDim: model.ffnDim,
    maxPositionEmbeddings: model.maxPositionEmbeddings,
    activationFunction: model.activationFunction,
    scaleEmbedding: true,
    // transformers reads an untied output projection only beside separate tables.
    shareEncoderDecoderEmbeddings: model.tieWordEmbeddings,
    tieWordEmbeddings: model.tieWordEmbeddings,
    dropout: model.dropout,
    attentionDropout: model.attentionDropout,
    activationDropout: model.activationDropout,
    // Scaled by sqrt(dModel), embeddings then have unit variance, as position rows do.
    initStd: model.dModel ** -0.5,
  };
}

/** config.json and generation_config.json of a new model, as transformers reads them. */
export function marianModelFiles(
  config: TransformerConfig,
  ids: ModelIds,
  extra: Record<string, unknown> = {},
): Record<string, string> {
  const shared = {
    bos_token_id: null,
    decoder_start_token_id: ids.padTokenId,
    eos_token_id: ids.eosTokenId,
    forced_eos_token_id: null,
    pad_token_id: ids.padTokenId,
  };
  const model = {
    architectures: ['MarianMTModel'],
    model_type: 'marian',
    is_encoder_decoder: true,
    vocab_size: config.vocabSize,
    decoder_vocab_size: config.decoderVocabSize,
    d_model: config.dModel,
    encoder_layers: config.encoderLayers,
    encoder_attention_heads: config.encoderAttentionHeads,
    encoder_ffn_dim: config.encoderFfnDim,
    decoder_layers: config.decoderLayers,
    decoder_attention_heads: config.decoderAttentionHeads,
    decoder_ffn_dim: config.decoderFfnDim,
    max_position_embeddings: config.maxPositionEmbeddings,
    activation_function: config.activationFunction,
    scale_embedding: config.scaleEmbedding,
    share_encoder_decoder_embeddings: config.shareEncoderDecoderEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
    static_position_embeddings: true,
    dropout: config.dropout,
    attention_dropout: config.attentionDropout,
    activation_dropout: config.activationDropout,
    init_std: config.initStd,
    torch_dtype: 'float32',
    ...shared,
    ...extra,
  };
  // Beam 4 is what OPUS-MT's models ask for as well; the length is bounded by the positions.
  const generation = { ...shared, num_beams: 4, max_length: config.maxPositionEmbeddings };
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return { 'config.json': json(model), 'generation_config.json': json(generation) };
}
