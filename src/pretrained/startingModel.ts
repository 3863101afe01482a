import type { WeightStore } from '../engine/weights.js';
import type { Architecture, ModelDefinition } from './architectures/definition.js';
import { modelDirectoryOf } from './bundledModels.js';
import type { RawConfig } from './config.js';
import { tokenizerOf } from './loadModel.js';
import { generationSettingsOf, readModelDirectory } from './modelDirectory.js';

/** A model to start training from, whole or put together. */
export interface StartingModel {
  /** For messages. */
  name: string;
  config: RawConfig;
  /** generation_config.json, or what an older config.json says in its place. */
  generationConfig: RawConfig;
  architecture: Architecture;
  definition: ModelDefinition;
  /** By the names of the model. */
  weights: WeightStore;
  /** Whether weights that are not there start at random; otherwise they must all be there. */
  mayLack: boolean;
  tokenizerDirectory: string;
}

/** A model directory as it is. @throws what `loadModel` throws for a directory */
export async function openStart(given: string): Promise<StartingModel> {
  const directory = await modelDirectoryOf(given);
  const { config, generationConfig, architecture, weights } = await readModelDirectory(directory);
  const ids = (await tokenizerOf(directory))?.specialIds ?? {};
  const definition = architecture.define(config, weights, `${directory}/config.json`, ids);
  return {
    name: directory,
    config,
    generationConfig: { ...definition.generation, ...(generationConfig ?? generationSettingsIn(config)) },
    architecture,
    definition,
    weights,
    mayLack: false,
    tokenizerDirectory: directory,
  };
}

const generationKey =
  /^(bos|eos|pad|decoder_start|forced_bos|forced_eos)_token_id$|^(num_beams|max_length|min_length|length_penalty|early_stopping|no_repeat_ngram_size|bad_words_ids)$/;

/** Settings of generation that an older config.json keeps. */
function generationSettingsIn(config: RawConfig): RawConfig {
  const all = Object.entries(generationSettingsOf(config));
  return Object.fromEntries(all.filter(([key, value]) => generationKey.test(key) && value !== null));
}
