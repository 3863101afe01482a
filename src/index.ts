/**
 * polybeam for any JavaScript runtime. In Node, `import 'polybeam'` reads src/node.ts, which also sets the runtime,
 * the file system and the tokenizers; elsewhere call `setRuntime` and `setFileAccess` first.
 */

/// <reference types="long" preserve="true" />

export { createEnsemble, type EnsembleOptions } from './decoder/ensemble.js';
export { type BertConfig, bertPresets } from './encoder/bert.js';
export { type TransformerConfig, transformerPresets } from './encoder/transformer.js';
export { compile } from './engine/compile.js';
export { type DeviceStatus, listDevices, type SpeedReport, speedCheck } from './engine/devices.js';
export type {
  CompileOptions,
  Device,
  Program,
  Signature,
  Tensors,
  TracedFunction,
} from './engine/program.js';
export { type OnnxRuntime, type RuntimeOptions, setRuntime } from './engine/runtime.js';
export { webRuntime } from './engine/webRuntime.js';
export type { StoredWeight, WeightStore } from './engine/weights.js';
export { type ErrorCode, errorCatalogue, PolybeamError } from './errors.js';
export { type FileAccess, setFileAccess } from './files.js';
export { type Assistance, type AssistantModel, assistance } from './generation/assistant.js';
export type { DraftCounts } from './generation/assisted.js';
export type { EventStream } from './generation/eventStream.js';
export { type GenerationResult, generate } from './generation/generate.js';
export type { Batching, GenerationInput } from './generation/inputs.js';
export {
  type DecodingRules,
  type GenerationOptions,
  generationOptionsSchema,
  type ResolvedGenerationOptions,
  resolveGenerationOptions,
} from './generation/options.js';
export type { OutputProgress } from './generation/progress.js';
export type { Shortlist } from './generation/shortlist.js';
export type { StepModel } from './generation/stepModel.js';
export { streamGeneration } from './generation/stream.js';
export { type AlignmentLink, pharaoh, type WordAlignment } from './pretrained/alignment.js';
export {
  type Batcher,
  type BatcherOptions,
  createBatcher,
  type RequestOptions,
} from './pretrained/batcher.js';
export type { ForwardInput, ForwardOutput } from './pretrained/forward.js';
export { type EnsembleModel, loadEnsemble } from './pretrained/loadEnsemble.js';
export { type LoadOptions, loadModel } from './pretrained/loadModel.js';
export { type ShortlistOptions, trainShortlist } from './pretrained/makeShortlist.js';
export type {
  AlignedTranslation,
  Model,
  TextGenerationOptions,
  TranslateOptions,
} from './pretrained/model.js';
export type { ModelOutput, ModelSequence } from './pretrained/modelOutput.js';
export type { ModelInput, Prefix } from './pretrained/modelParts.js';
export type { StreamEvent, StreamInput, StreamOptions } from './pretrained/modelStream.js';
export type { ModelScore, ScoreInput, ScoreOptions } from './pretrained/score.js';
export { loadShortlist, saveShortlist } from './pretrained/shortlistFile.js';
export { embedTexts, similarity, type VectorOptions } from './pretrained/textVectors.js';
export type { UnknownReplacement } from './pretrained/unknownWords.js';
export { type PretrainConfig, type PretrainConfigInput, pretrainConfigSchema } from './pretraining/config.js';
export { parsePretrainConfig, parsePretrainConfigText } from './pretraining/parseConfig.js';
export { pretrain } from './pretraining/pretrain.js';
export {
  type MinimumBayesRiskOptions,
  minimumBayesRisk,
  type RankedCandidate,
} from './reranking/minimumBayesRisk.js';
export {
  type ChannelCandidate,
  type ChannelOptions,
  type ChannelScore,
  noisyChannel,
} from './reranking/noisyChannel.js';
export { loadTokenizer } from './text/loadTokenizer.js';
export { saveTokenizer, type TokenizerConfig } from './text/saveTokenizer.js';
export { setSentencePieceModule } from './text/sentencePiece.js';
export type { DecodeOptions, EncodedText, EncodeOptions, Tokenizer } from './text/tokenizer.js';
export { setTokenizersModule, type TokenizersModule } from './text/tokenizerJson.js';
export { trainVocabulary } from './text/trainVocabulary.js';
export { type VocabularyOptions, vocabularyOptionsSchema } from './text/vocabularyOptions.js';
export { type TrainConfig, type TrainConfigInput, trainConfigSchema } from './training/config.js';
export { finetune } from './training/finetune.js';
export {
  type FinetuneConfig,
  type FinetuneConfigInput,
  finetuneConfigSchema,
} from './training/finetuneConfig.js';
export { parseTrainConfig, parseTrainConfigText } from './training/parseConfig.js';
export { parseFinetuneConfig, parseFinetuneConfigText } from './training/parseFinetuneConfig.js';
export { type TrainOptions, type TrainResult, train } from './training/train.js';
export {
  type JointVocabulary,
  type JointVocabularyOptions,
  jointVocabularySchema,
  trainJointVocabulary,
} from './xlm/jointVocabulary.js';
export { type DictionaryEntry, readDictionary } from './xlm/mapping/dictionaryFile.js';
export { type LexiconAccuracy, type LexiconOptions, lexiconAccuracy } from './xlm/mapping/lexiconAccuracy.js';
export { type MappingFiles, mapVectorFiles } from './xlm/mapping/mapFiles.js';
export { type MappingOptions, mappingOptionsSchema } from './xlm/mapping/mappingOptions.js';
export type { MappingReport } from './xlm/mapping/mappingReport.js';
export { type Mapping, mapVectors } from './xlm/mapping/mapVectors.js';
export type { MappingHooks, MappingProgress } from './xlm/mapping/selfLearning.js';
export {
  type XlmPretrainConfig,
  type XlmPretrainConfigInput,
  xlmPretrainConfigSchema,
} from './xlm/pretraining/config.js';
export {
  measureNgramTranslations,
  type NgramAccuracy,
  type NgramAccuracyOptions,
  ngramAccuracySchema,
} from './xlm/pretraining/ngramAccuracy.js';
export { parseXlmPretrainConfig, parseXlmPretrainConfigText } from './xlm/pretraining/parseConfig.js';
export { pretrainXlm } from './xlm/pretraining/pretrain.js';
export {
  parseXlmRunConfig,
  parseXlmRunConfigText,
  type XlmRunConfig,
  type XlmRunConfigInput,
  xlmRunConfigSchema,
} from './xlm/run/config.js';
export { runXlm, type XlmRunResult } from './xlm/run/run.js';
export { type BuiltTable, type BuiltTables, buildTable, type TableRun } from './xlm/table/buildTable.js';
export {
  type LanguageModel,
  loadLanguageModel,
  type PhraseOptions,
  type PhraseOutput,
  type PhraseRun,
  type PhraseSearchOptions,
  translateByPhrases,
  translateByTable,
} from './xlm/table/phraseTranslator.js';
export { phraseOptionsSchema, phraseSearchSchema } from './xlm/table/phraseTranslatorOptions.js';
export {
  type ConstraintOptions,
  constraintOptionsSchema,
  constraintsFromTable,
  type SurePhrase,
  type TableConstraints,
} from './xlm/table/tableConstraints.js';
export { type TableOptions, tableOptionsSchema } from './xlm/table/tableOptions.js';
export {
  createTable,
  openTable,
  type Translation,
  type TranslationTable,
  writeTable,
} from './xlm/table/translationTable.js';
export { type TextFile, type Texts, textsOf } from './xlm/texts.js';
export {
  type TranslationConfig,
  type TranslationConfigInput,
  translationConfigSchema,
} from './xlm/translation/config.js';
export { parseTranslationConfig, parseTranslationConfigText } from './xlm/translation/parseConfig.js';
export { trainTranslator } from './xlm/translation/train.js';
export { type FastTextModel, openFastText } from './xlm/vectors/fastTextModel.js';
export { type Neighbor, type NeighborSpace, nearestNeighbors, openSpace } from './xlm/vectors/neighbors.js';
export {
  chooseNgrams,
  type Ngram,
  type NgramOptions,
  ngramOptionsSchema,
  readNgrams,
  writeNgrams,
} from './xlm/vectors/ngrams.js';
export {
  type SkipGramJob,
  type SkipGramProgress,
  type SkipGramSettings,
  type SkipGramTrainer,
  setSkipGramTrainer,
} from './xlm/vectors/skipGram.js';
export {
  type TrainedVectors,
  trainVectors,
  type VectorTrainingOptions,
  type VectorTrainingRun,
  vectorOptionsSchema,
  vectorTexts,
} from './xlm/vectors/trainVectors.js';
export { readVectors, writeVectors } from './xlm/vectors/vectorFile.js';
export type { WordVectors } from './xlm/vectors/wordVectors.js';
