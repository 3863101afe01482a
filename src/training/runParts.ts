import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { requireInside } from '../pretrained/insideDirectory.js';
import { loadTokenizer } from '../text/loadTokenizer.js';
import { saveTokenizer } from '../text/saveTokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { trainVocabulary } from '../text/trainVocabulary.js';
import type { VocabularyOptions } from '../text/vocabularyOptions.js';
import { averageCheckpoints } from './average.js';
import { checkpointPath, type RunPointer } from './runCheckpoint.js';
import { requireAlone } from './runLock.js';
import { readTensors, writeTensors } from './tensorFiles.js';
import type { TrainTensor } from './trainStep.js';

/** A tokenizer to be loaded, or the options of one to be trained. */
export type VocabularyChoice = { tokenizer: string } | { train: VocabularyOptions };

/** Files of a model directory by name. */
export type ModelFiles = Record<string, string | Uint8Array>;

/** Where the tokenizer of a run lies. */
export function tokenizerDirectory(vocabulary: VocabularyChoice, output: string): string {
  return 'tokenizer' in vocabulary ? vocabulary.tokenizer : `${output}/tokenizer`;
}

/**
 * The tokenizer that a configuration names, or one trained on the run's texts and kept in the run directory.
 * @param texts read only where one is to be trained
 */
export async function prepareTokenizer(
  vocabulary: VocabularyChoice,
  { output, modelMaxLength }: { output: string; modelMaxLength: number },
  texts: () => Iterable<string>,
  note: (text: string) => void,
): Promise<Tokenizer> {
  const directory = tokenizerDirectory(vocabulary, output);
  if ('train' in vocabulary && (await fileAccess().size(`${directory}/tokenizer.json`)) === undefined) {
    note('training the vocabulary');
    const tokenizer = await trainVocabulary(texts(), vocabulary.train);
    await saveTokenizer(directory, tokenizer, { modelMaxLength });
  }
  return loadTokenizer(directory);
}

/** Ids that a translation model of Marian's kind is made with: it starts its output with padding. */
export interface TranslationIds {
  padTokenId: number;
  eosTokenId: number;
  decoderStartTokenId: number;
  vocabSize: number;
}

/** @throws TOKENIZER_INVALID where there is no padding or no end token */
export function translationIds(tokenizer: Tokenizer): TranslationIds {
  const { pad, eos } = tokenizer.specialIds;
  if (pad === undefined || eos === undefined) {
    throw new PolybeamError(
      'TOKENIZER_INVALID',
      `The tokenizer has no ${pad === undefined ? 'padding' : 'end'} token; a translation model needs <pad> and </s>.`,
    );
  }
  return { padTokenId: pad, eosTokenId: eos, decoderStartTokenId: pad, vocabSize: tokenizer.vocabSize };
}

/** The files of a tokenizer directory that belong into a model directory. */
export async function tokenizerFiles(directory: string): Promise<ModelFiles> {
  const found: ModelFiles = {};
  for (const name of await fileAccess().list(directory)) {
    if (!/token|spm|spiece|vocab/.test(name)) continue;
    await requireInside(directory, name);
    found[name] = await fileAccess().read(`${directory}/${name}`);
  }
  return found;
}

/**
 * Writes `<output>/model`: the mean of the last `averageLast` kept checkpoints, or with 0 the best (without validation the last).
 * @param untrained weights that no checkpoint has
 * @returns the directory
 */
export async function writeFinalModel(
  { output, averageLast }: { output: string; averageLast: number },
  pointer: RunPointer,
  modelFiles: ModelFiles,
  untrained: ReadonlyMap<string, TrainTensor> = new Map(),
): Promise<string> {
  await requireAlone(output);
  const directory = `${output}/model`;
  let tensors: Map<string, TrainTensor>;
  if (averageLast > 0) {
    tensors = await averageCheckpoints(output, pointer, averageLast);
  } else {
    const update = pointer.state.best?.update ?? pointer.kept[pointer.kept.length - 1].update;
    tensors = await readTensors(`${checkpointPath(output, update)}/model.safetensors`);
  }
  for (const [name, tensor] of untrained) tensors.set(name, tensor);
  await writeTensors(`${directory}/model.safetensors`, tensors);
  for (const [name, content] of Object.entries(modelFiles)) {
    await fileAccess().writeAtomic(`${directory}/${name}`, [
      typeof content === 'string' ? new TextEncoder().encode(content) : content,
    ]);
  }
  return directory;
}
