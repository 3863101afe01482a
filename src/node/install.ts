import { setDeviceHost, setRuntime } from '../engine/runtime.js';
import { setFileAccess } from '../files.js';
import { setBundledModels } from '../pretrained/bundledModels.js';
import { setSkipGramTrainer } from '../xlm/vectors/skipGram.js';
import { findBundledModel } from './bundledModels.js';
import { nodeDevices } from './devices.js';
import { nodeFiles } from './files.js';
import { binding } from './onnxLibrary.js';
import { directRuntime } from './onnxSession.js';
import { trainSkipGram } from './skipGram.js';
import { installTokenizers } from './tokenizers.js';

/** Gives polybeam what it needs of Node: ONNX Runtime, files, tokenizers and fastText. Importing this file does it. */
void setRuntime(directRuntime(binding), { mapsFiles: true, writesOutputs: true });
setDeviceHost(nodeDevices);
setFileAccess(nodeFiles);
installTokenizers();
setBundledModels(findBundledModel);
setSkipGramTrainer(trainSkipGram);
