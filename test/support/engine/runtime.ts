import * as ort from 'onnxruntime-node';
import { type OnnxRuntime, setRuntime } from '../../../src/engine/runtime.js';

// Test files that run programs import this for its effect.
setRuntime(ort as unknown as OnnxRuntime, { mapsFiles: true });
