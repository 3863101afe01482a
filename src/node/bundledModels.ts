import { join } from 'node:path';
import type { FindBundledModel } from '../pretrained/bundledModels.js';
import { nodeFiles } from './files.js';
import { packageRoot } from './packageRoot.js';

/** Finds the models of this package: the folders of models/ that hold a config.json. */
export const findBundledModel: FindBundledModel = async (name) => {
  if (!/^\w[\w.-]*$/.test(name)) return undefined;
  const directory = join(packageRoot(), 'models', name);
  return (await nodeFiles.size(join(directory, 'config.json'))) === undefined ? undefined : directory;
};
