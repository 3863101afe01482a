export {
  type BleuOptions,
  type BleuScore,
  bleuOptionsSchema,
  bleuStatistics,
  corpusBleu,
  sentenceBleu,
} from './bleu.js';
export { type BootstrapOptions, bootstrapMeans, bootstrapOptionsSchema, type Interval } from './bootstrap.js';
export {
  type ChrfOptions,
  type ChrfScore,
  chrfOptionsSchema,
  chrfStatistics,
  corpusChrf,
  sentenceChrf,
} from './chrf.js';
export {
  cerStatistics,
  corpusCer,
  corpusWer,
  type ErrorRateOptions,
  type ErrorRateScore,
  errorRateOptionsSchema,
  sentenceCer,
  sentenceWer,
  werStatistics,
} from './errorRate.js';
export type { LineStatistics } from './lineStatistics.js';
export { type MosesLanguage, mosesLanguages, mosesNormalize } from './mosesNormalize.js';
export { type MosesOptions, mosesTokenize } from './mosesTokenize.js';
export { porterStem } from './porterStemmer.js';
export {
  type RougeOptions,
  type RougeResult,
  type RougeType,
  type RougeValue,
  rouge,
  rougeOptionsSchema,
  rougeScore,
  rougeScriptWarning,
  rougeStatistics,
  tokenizeRouge,
} from './rouge.js';
export {
  formatNumber,
  formatScore,
  formatScoreJson,
  type Score,
  type ScoreFormat,
  sacrebleuVersion,
} from './score.js';
export type { Reference } from './segments.js';
export {
  type Confidence,
  type ConfidenceOptions,
  confidenceOf,
  confidenceOptionsSchema,
  type PairedResult,
  type PairedTestOptions,
  pairedTest,
  pairedTestFields,
  pairedTestOptionsSchema,
  withConfidence,
} from './significance.js';
export {
  corpusTer,
  sentenceTer,
  type TerOptions,
  type TerScore,
  terOptionsSchema,
  terStatistics,
} from './ter.js';
export {
  type Distribution,
  type StatisticsOptions,
  statisticsOptionsSchema,
  type TextStatistics,
  textStatistics,
} from './textStatistics.js';
export { tokenize13a } from './tokenize13a.js';
export { tokenizeChar } from './tokenizeChar.js';
export { tokenizeIntl } from './tokenizeIntl.js';
export { tokenizeNone } from './tokenizeNone.js';
export { type Tokenizer, tokenizerFor, tokenizerNames } from './tokenizers.js';
export { type TercomOptions, tokenizeTercom } from './tokenizeTercom.js';
export { tokenizeZh } from './tokenizeZh.js';
