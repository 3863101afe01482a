import { type BertHead, bertEncoderDecoder } from '../../decoder/bertGeneration.js';
import type { WeightStore } from '../../engine/weights.js';
import { PolybeamError } from '../../errors.js';
import { bertConfigSchema, type RawConfig, readConfig } from '../config.js';
import { readBertConfig, repeatedInHead } from './bert.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';

/** What each side of an `encoder-decoder` can be, and the head it has as a decoder. */
export const sides: Readonly<Record<string, { segments: boolean; head: BertHead }>> = {
  bert: { segments: true, head: 'cls' },
  'bert-generation': { segments: false, head: 'lm_head' },
};

/** transformers' EncoderDecoderModel over BERT's family. */
export const encoderDecoder: Architecture = {
  modelType: 'encoder-decoder',
  repeated: (raw) => {
    const decoder = raw.decoder as RawConfig;
    const head = sides[String(decoder?.model_type)]?.head;
    if (!head) return {};
    const repeated = repeatedInHead(decoder, head === 'cls' ? 'cls.predictions' : head, 'decoder.');
    return sharesSides(raw) ? { ...repeatedSide(decoder), ...toEncoder(repeated) } : repeated;
  },
  define: (raw, weights, path) => {
    const encoder = readSide(raw, 'encoder', path);
    const decoder = readSide(raw, 'decoder', path);
    return defineEncoderDecoder(
      bertEncoderDecoder(
        encoder.config,
        {
          ...decoder.config,
          head: decoder.head,
          tieWordEmbeddings: decoder.tieWordEmbeddings,
        },
        sharesSides(raw) ? sharedNames(weights) : undefined,
      ),
      {
        embeddings: ['encoder.embeddings.', 'decoder.bert.embeddings.'],
        stacks: [
          { prefix: 'encoder.encoder.layer.', layers: encoder.config.numHiddenLayers },
          { prefix: 'decoder.bert.encoder.layer.', layers: decoder.config.numHiddenLayers },
        ],
        encoder: ['encoder.'],
      },
    );
  },
};

/** The decoder's names of weights that are the encoder's. */
function repeatedSide(decoder: RawConfig): Record<string, string> {
  const dense = (name: string) => [`${name}.weight`, `${name}.bias`];
  const layer = [
    ...['query', 'key', 'value'].map((part) => `attention.self.${part}`),
    ...['attention.output.dense', 'attention.output.LayerNorm'],
    ...['intermediate.dense', 'output.dense', 'output.LayerNorm'],
  ].flatMap(dense);
  const tables = ['word', 'position', 'token_type'].map((kind) => `embeddings.${kind}_embeddings.weight`);
  const layers = Array.from({ length: Number(decoder.num_hidden_layers) }, (_, at) =>
    layer.map((name) => `encoder.layer.${at}.${name}`),
  );
  const names = [...tables, ...dense('embeddings.LayerNorm'), ...layers.flat()];
  return Object.fromEntries(names.map((name) => [`decoder.bert.${name}`, `encoder.${name}`]));
}

/** Whose names shared weights have: the encoder's, or in what transformers 4 saves as safetensors the decoder's. */
function sharedNames(weights: Pick<WeightStore, 'get'>): 'encoder' | 'decoder' {
  const has = (scope: string) => weights.get(`${scope}.embeddings.word_embeddings.weight`) !== undefined;
  return !has('encoder') && has('decoder.bert') ? 'decoder' : 'encoder';
}

/** The same with the encoder's names for what repeats the decoder's. */
function toEncoder(repeated: Record<string, string>): Record<string, string> {
  const renamed = ([name, first]: [string, string]) => [name, first.replace(/^decoder\.bert\./, 'encoder.')];
  return Object.fromEntries(Object.entries(repeated).map(renamed));
}

/** Whether one set of weights serves both sides. */
function sharesSides(raw: RawConfig): boolean {
  return raw.tie_encoder_decoder === true;
}

function readSide(raw: RawConfig, name: 'encoder' | 'decoder', path: string) {
  const side = raw[name] as RawConfig | undefined;
  const modelType = String(side?.model_type);
  const kind = sides[modelType];
  if (!side || !kind) {
    throw new PolybeamError(
      'MODEL_TYPE_UNKNOWN',
      `${path}: ${name}.model_type is ${modelType}; an encoder-decoder can be made of ${Object.keys(sides).join(' and ')}.`,
    );
  }
  const at = `${path} (${name})`;
  const { tie_word_embeddings: tieWordEmbeddings } = readConfig(bertConfigSchema, side, at);
  return { config: readBertConfig(side, at, kind.segments), head: kind.head, tieWordEmbeddings };
}
