import { type OnnxRuntime, setRuntime } from '../../../src/engine/runtime.js';
import { binding } from '../../../src/node/onnxLibrary.js';
import { directRuntime } from '../../../src/node/onnxSession.js';

/** The runtime that Node's entry sets. */
export const nodeRuntime: OnnxRuntime = directRuntime(binding);

// Test files that run programs import this for its effect.
await setRuntime(nodeRuntime, { mapsFiles: true });
