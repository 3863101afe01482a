import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { requireText } from '../inputs.js';
import { loadM2M100Tokenizer, m2m100Files } from './m2m100Tokenizer.js';
import { loadMarianTokenizer } from './marianTokenizer.js';
import { loadSentencePiece, sentencePieceNames } from './sentencePiece.js';
import { checkedTokenizer, type Tokenizer } from './tokenizer.js';
import { readTokenizerSettings } from './tokenizerConfig.js';
import { loadTokenizerJson } from './tokenizerJson.js';
import { loadWordPiece } from './wordPiece.js';
import { isXlmRoberta, loadXlmRobertaTokenizer, xlmRobertaFile } from './xlmRobertaTokenizer.js';

/**
 * Loads the tokenizer of a model directory, by the files that are there: Marian's (`source.spm`), `tokenizer.json`,
 * M2M-100's (`vocab.json` and `sentencepiece.bpe.model`), XLM-RoBERTa's (`sentencepiece.bpe.model`), a SentencePiece
 * `.model`, BERT's `vocab.txt`, in this order.
 *
 * @throws TOKENIZER_MISSING where there is none of them; TOKENIZER_INVALID for a file that cannot be read
 */
export async function loadTokenizer(directory: string): Promise<Tokenizer> {
  requireText(directory, 'directory');
  return checkedTokenizer(await loadByFiles(directory));
}

async function loadByFiles(directory: string): Promise<Tokenizer> {
  const names = new Set(await fileAccess().list(directory));
  if (names.has('source.spm')) return loadMarianTokenizer(directory);
  if (names.has('tokenizer.json')) return loadTokenizerJson(directory);
  if (Object.values(m2m100Files).every((name) => names.has(name))) return loadM2M100Tokenizer(directory);
  if (names.has(xlmRobertaFile) && (await isXlmRoberta(directory))) return loadXlmRobertaTokenizer(directory);
  const model = sentencePieceNames.find((name) => names.has(name));
  if (model) return loadSentencePiece(directory, model);
  if (names.has('vocab.txt')) return loadWordPiece(directory);
  throw (await isXlm(directory, names)) ? ownPreprocessing(directory) : missing(directory, names);
}

/** Whether the directory is one of Facebook's XLM. */
async function isXlm(directory: string, names: ReadonlySet<string>): Promise<boolean> {
  if (!names.has('vocab.json') || !names.has('merges.txt')) return false;
  return (await readTokenizerSettings(directory)).tokenizerClass === 'XLMTokenizer';
}

function ownPreprocessing(directory: string): PolybeamError {
  return new PolybeamError(
    'TOKENIZER_MISSING',
    `${directory} has the tokenizer of Facebook's XLM, which cuts each language by a program of its own before its BPE ` +
      '(Moses, KyTea, PyThaiNLP, jieba): give token ids instead of text, as XLMTokenizer of Python transformers makes them.',
  );
}

function missing(directory: string, names: ReadonlySet<string>): PolybeamError {
  if (names.has('vocab.json') || [...names].some((name) => name.endsWith('.model'))) {
    return new PolybeamError(
      'TOKENIZER_MISSING',
      `${directory} has tokenizer files of a kind that polybeam does not read: add its tokenizer.json, which Python ` +
        'writes by AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR).',
    );
  }
  return new PolybeamError(
    'TOKENIZER_MISSING',
    `${directory} has no tokenizer (tokenizer.json, source.spm, spiece.model or vocab.txt): give token ids instead of ` +
      'text, or put the tokenizer files of the model there.',
  );
}
